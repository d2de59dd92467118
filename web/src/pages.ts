// Every page: where it is, what it is called, what shows it. A row with "nav" stands in the navigation, in this order.
import type { ComponentType } from "preact";
import type { IconName } from "./components/icons";
import type { Text } from "./i18n";
import { AccountPage } from "./pages/account";
import { AssignmentsPage } from "./pages/assignments";
import { HostPage } from "./pages/host";
import { HostsPage } from "./pages/hosts";
import { JournalPage } from "./pages/journal";
import { KeysPage } from "./pages/keys";
import { KitPage } from "./pages/kit";
import { OrdersPage } from "./pages/orders";
import { PackagePage, RepositoryPage } from "./pages/repository";
import { PeoplePage } from "./pages/people";
import { ReportsPage } from "./pages/reports";
import { RolloutPage, RolloutsPage } from "./pages/rollouts";
import { StartPage } from "./pages/start";
import { TokensPage } from "./pages/tokens";
import { WebhooksPage } from "./pages/webhooks";

export interface PageProps {
    /** What stands for the names in the path. */
    args: Record<string, string>;
}

export interface Page {
    path: string; // "/hosts/:uuid"; no dots in what stands for a name: such a thing goes into the query
    title: Text;
    page: ComponentType<PageProps>;
    within?: string; // the page of the navigation to which it belongs, where the path does not say so
    nav?: { icon: IconName; keys: string; right?: string }; // "g h"; right: shown to whoever has it
}

export const pages: readonly Page[] = [
    { path: "/start", title: "At a glance", page: StartPage, nav: { icon: "home", keys: "g s" } },
    { path: "/hosts", title: "Machines", page: HostsPage, nav: { icon: "hosts", keys: "g h" } },
    { path: "/hosts/:uuid", title: "Machine", page: HostPage },
    { path: "/orders", title: "Orders", page: OrdersPage, nav: { icon: "tasks", keys: "g o" } },
    { path: "/repository", title: "Repository", page: RepositoryPage, nav: { icon: "box", keys: "g p" } },
    { path: "/package", title: "Package", page: PackagePage, within: "/repository" },
    { path: "/assignments", title: "Assignments", page: AssignmentsPage, nav: { icon: "assign", keys: "g a" } },
    { path: "/rollouts", title: "Roll-outs", page: RolloutsPage, nav: { icon: "rollout", keys: "g r" } },
    { path: "/rollouts/:id", title: "Roll-out", page: RolloutPage },
    { path: "/reports", title: "Reports", page: ReportsPage, nav: { icon: "report", keys: "g q" } },
    { path: "/people", title: "People", page: PeoplePage, nav: { icon: "people", keys: "g u", right: "people" } },
    { path: "/journal", title: "Journal", page: JournalPage, nav: { icon: "journal", keys: "g j", right: "people" } },
    { path: "/keys", title: "Keys", page: KeysPage, nav: { icon: "key", keys: "g e" } },
    { path: "/webhooks", title: "Webhooks", page: WebhooksPage, nav: { icon: "send", keys: "g w", right: "people" } },
    { path: "/tokens", title: "API tokens", page: TokensPage, nav: { icon: "code", keys: "g t" } },
    { path: "/account", title: "Your account", page: AccountPage },
    { path: "/kit", title: "Enrolment kit", page: KitPage, nav: { icon: "save", keys: "g k" } },
];
/** Where "/" leads. */
export const FIRST_PAGE = "/start";
