// Every page: where it is, what it is called, what shows it. A row with "nav" stands in the navigation, in this order.
import type { ComponentType } from "preact";
import type { IconName } from "./components/icons";
import type { Text } from "./i18n";
import { AssignmentsPage } from "./pages/assignments";
import { HostPage } from "./pages/host";
import { HostsPage } from "./pages/hosts";
import { OrdersPage } from "./pages/orders";
import { PackagePage, RepositoryPage } from "./pages/repository";

export interface PageProps {
    /** What stands for the names in the path. */
    args: Record<string, string>;
}

export interface Page {
    path: string; // "/hosts/:uuid"; no dots in what stands for a name: such a thing goes into the query
    title: Text;
    page: ComponentType<PageProps>;
    nav?: { icon: IconName; keys: string }; // "g h"
}

export const pages: readonly Page[] = [
    { path: "/hosts", title: "Machines", page: HostsPage, nav: { icon: "hosts", keys: "g h" } },
    { path: "/hosts/:uuid", title: "Machine", page: HostPage },
    { path: "/orders", title: "Orders", page: OrdersPage, nav: { icon: "tasks", keys: "g o" } },
    { path: "/repository", title: "Repository", page: RepositoryPage, nav: { icon: "box", keys: "g p" } },
    { path: "/package", title: "Package", page: PackagePage },
    { path: "/assignments", title: "Assignments", page: AssignmentsPage, nav: { icon: "assign", keys: "g a" } },
];
/** Where "/" leads. */
export const FIRST_PAGE = "/hosts";
