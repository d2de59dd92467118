// French. One file for each part of the pages; a text that two parts need stands in common.ts.
import { access } from "./fr/access";
import { common } from "./fr/common";
import { hosts } from "./fr/hosts";
import { keys } from "./fr/keys";
import { manage } from "./fr/manage";
import { repository } from "./fr/repository";
import { selfservice } from "./fr/selfservice";

export const fr = { ...access, ...common, ...hosts, ...keys, ...manage, ...repository, ...selfservice };
