// All that is known of a package. Whatever a package says of itself is text, its home page's address too.
import { signal } from "@preact/signals";
import { Dialog } from "../components/dialog";
import { Facts } from "../components/fields";
import { bytes } from "../format";
import { t } from "../i18n";
import { catalogue, describe, titleOf } from "./model";
import { Actions, PackagePicture, Standing } from "./tile";

/** The package whose details are shown; "": none. */
export const detailsOf = signal("");

function list(csv: string): string {
    return csv.split(",").map((one) => one.trim()).filter(Boolean).join(", ");
}

export function Details() {
    const p = catalogue.value?.packages.find((one) => one.package === detailsOf.value);
    if (!p) return null;
    return (
        <Dialog title={titleOf(p)} wide onClose={() => (detailsOf.value = "")} footer={<Actions p={p} />}>
            <div class="details-head">
                <PackagePicture p={p} />
                <p>{describe(p)}</p>
                <Standing p={p} />
            </div>
            <Facts
                rows={[
                    [t("Package"), p.package],
                    [t("Version"), p.version],
                    [t("Installed version"), p.installed],
                    [t("Categories"), list(p.categories)],
                    [t("Editor"), p.editor],
                    [t("Licence"), p.licence],
                    [t("Home page"), p.homepage],
                    [t("Size"), p.size ? bytes(Number(p.size)) : ""],
                    [t("Needs"), list(p.depends)],
                    [t("Conflicts with"), list(p.conflicts)],
                    [t("Signed by"), p.signer],
                    [t("Signed on"), p.signature_date.slice(0, 10)],
                ]}
            />
        </Dialog>
    );
}
