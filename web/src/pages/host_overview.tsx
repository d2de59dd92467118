// A machine at one look: what needs attention first, then who and what it is.
import type { ComponentChildren } from "preact";
import { apiPath } from "../api";
import { Facts } from "../components/fields";
import { A } from "../components/link";
import { useRead } from "../components/read";
import { Status, toneOf } from "../components/status";
import { ago, bytes, dateTime, plain } from "../format";
import { t, tn } from "../i18n";
import { list, members, packagesOf, type Json, type Members } from "./host_model";
import { Maintenance, orderers, rootText } from "./host_policy";
import { ordered } from "./hosts_actions";
import { describe } from "./hosts_describe";
import { hostPath, statusText, type Host } from "./hosts_model";

function Panel({ title, children }: { title: string; children: ComponentChildren }) {
    return (
        <section class="panel">
            <h2>{title}</h2>
            {children}
        </section>
    );
}

function texts(...values: Json[]): string {
    const all = values.flatMap((v) => (Array.isArray(v) ? (v as Json[]) : [v])).map(plain);
    return [...new Set(all.filter(Boolean))].join(", ");
}

/** A distinguished name, which is broken where it has a comma. */
function Unit({ text }: { text: string }) {
    return (
        <>
            {text.split(/(?<=,)/).map((part, i) => (
                <span key={i}>
                    {part}
                    <wbr />
                </span>
            ))}
        </>
    );
}

function Attention({ sections, row, uuid }: { sections: Members; row: Host | undefined; uuid: string }) {
    const last = members(sections.last_update_status);
    const upgrades = list(last.upgrades).map(plain);
    const failed = packagesOf(sections).filter((p) => p.status === "ERROR");
    const status = plain(sections.host_status) || row?.status || "";
    const problems = plain(last.problems);
    return (
        <Panel title={t("State")}>
            <Facts
                rows={[
                    [t("Packages"), status && <Status key="s" tone={toneOf(status)} text={statusText(status)} />],
                    [t("Audit"), row?.audit && <Status key="a" tone={toneOf(row.audit)} text={row.audit === "OK" ? t("good") : statusText(row.audit)} />],
                    [t("Lists read"), typeof last.date === "number" ? dateTime(last.date) : ""],
                ]}
            />
            {failed.length > 0 && (
                <>
                    <h3>{tn(failed.length, "{n} package in error", "{n} packages in error")}</h3>
                    <ul class="names">
                        {failed.map((p) => (
                            <li key={p.package}>
                                <A to={`${hostPath(uuid)}?tab=packages&log=${encodeURIComponent(p.package)}`} title={t("What its installation said")}>
                                    {p.package} {p.version}
                                </A>
                            </li>
                        ))}
                    </ul>
                </>
            )}
            {upgrades.length > 0 && (
                <>
                    <h3>{tn(upgrades.length, "An upgrade would change {n} package", "An upgrade would change {n} packages")}</h3>
                    <ul class="names">
                        {upgrades.map((name) => (
                            <li key={name}>{name}</li>
                        ))}
                    </ul>
                </>
            )}
            {problems && <p class="error">{problems}</p>}
        </Panel>
    );
}

/** Of its site as many as are here, or away. */
function OfSite({ site, here }: { site: string; here: boolean }) {
    const found = useRead<{ total: number }>(apiPath(["hosts"], { site, reachable: here ? "1" : "0", fields: "uuid", limit: 1 }), 0);
    if (!found) return null;
    const text = here ? tn(found.total, "{n} machine of {site} is connected", "{n} machines of {site} are connected", { site }) : tn(found.total, "{n} of {site} is away", "{n} of {site} are away", { site });
    return <A to={`/hosts?site=${encodeURIComponent(site)}&reachable=${here ? "1" : "0"}`}>{text}</A>;
}

/** Where one looks for why nothing is heard of it. */
function Away({ row }: { row: Host }) {
    return (
        <Panel title={t("Why it is away")}>
            <p>{t("It is off, has no network, or its agent does not run. On the machine, \"wapt-get check\" says which.")}</p>
            <Facts
                rows={[
                    [t("Last seen"), `${dateTime(row.last_seen)} (${ago(row.last_seen)})`],
                    [t("Address then"), row.ips],
                    [t("Last logged in"), row.users || row.last_user],
                    ...(row.site ? [[t("Is it the site?"), <span key="s" class="linked"><OfSite site={row.site} here /> <OfSite site={row.site} here={false} /></span>] as const] : []),
                ]}
            />
        </Panel>
    );
}

function Description({ uuid, text }: { uuid: string; text: string }) {
    return (
        <>
            {text}{" "}
            <button type="button" class="link" onClick={() => describe({ uuids: () => Promise.resolve([uuid]), count: 1, text, onDone: ordered })}>
                {t("Change the description")}
            </button>
        </>
    );
}

function networks(info: Members): string {
    return list(info.networking)
        .map((one) => {
            const n = members(one);
            const addresses = list(n.addr).map((a) => plain(members(a).addr));
            return `${plain(n.iface)} ${plain(n.mac)} ${addresses.join(" ")}`.trim();
        })
        .join("\n");
}

function amount(v: Json): string {
    return typeof v === "number" ? bytes(v) : plain(v);
}

export function Overview({ sections, row, uuid }: { sections: Members; row: Host | undefined; uuid: string }) {
    const info = members(sections.host_info);
    const caps = members(sections.host_capabilities);
    const metrics = members(sections.host_metrics);
    const agent = members(sections.wapt_status);
    const system = members(members(sections.dmi).System_Information);
    const unit = texts(caps.dn, info.computer_ad_dn);
    return (
        <div class="panels">
            {row && !row.reachable && <Away row={row} />}
            <Attention sections={sections} row={row} uuid={uuid} />
            <Panel title={t("Maintenance")}>
                <Maintenance sections={sections} row={row && members(row)} />
            </Panel>
            <Panel title={t("Machine")}>
                <Facts
                    rows={[
                        [t("Full name"), texts(info.computer_fqdn, row?.fqdn)],
                        [t("Identifier"), <code key="u">{uuid}</code>],
                        [t("Description"), <Description key="d" uuid={uuid} text={texts(info.description, row?.description)} />],
                        [t("System"), texts(info.os_name, info.os_version)],
                        [t("Model"), texts(info.system_manufacturer, info.system_productname)],
                        [t("Serial number"), texts(system.Serial_Number, row?.serial)],
                        [t("Processor"), texts(info.cpu_name)],
                        [t("Memory"), amount(metrics.physical_memory)],
                        [t("Registered"), row ? dateTime(row.registered_at) : ""],
                    ]}
                />
            </Panel>
            <Panel title={t("Network")}>
                <Facts
                    rows={[
                        [t("Last seen"), row ? `${dateTime(row.last_seen)} (${ago(row.last_seen)})` : ""],
                        [t("Interfaces"), networks(info) && <span key="n" class="said">{networks(info)}</span>],
                        [t("Gateways"), texts(info.gateways)],
                        [t("Name servers"), texts(info.dns_servers)],
                        [t("Domain"), texts(info.dnsdomain, info.workgroup_name)],
                        [t("Domain controller"), texts(info.domain_controller, info.domain_controller_address)],
                    ]}
                />
            </Panel>
            <Panel title={t("Place and people")}>
                <Facts
                    rows={[
                        [t("Organisational unit"), unit && <Unit key="u" text={unit} />],
                        [t("Site"), texts(caps.site, info.computer_ad_site)],
                        [t("Groups"), texts(list(caps.host_packages_names).filter((name) => plain(name) !== uuid), row?.groups)],
                        [t("Logged in"), texts(metrics.logged_in_users)],
                        [t("Last logged in"), texts(metrics.last_logged_on_user)],
                        [t("Started"), texts(metrics.last_bootup_time)],
                    ]}
                />
            </Panel>
            <Panel title={t("Agent")}>
                <Facts
                    rows={[
                        [t("Version"), texts(caps.wapt_version, agent["wapt-version-full"])],
                        [t("Repositories"), texts(info.repositories)],
                        [t("Trusts"), texts(agent.authorized_certificates_cn)],
                        [t("Takes orders of"), orderers(sections)],
                        [t("Root of the repository"), rootText(sections)],
                        [t("Maturities"), texts(agent.maturities)],
                        [t("Languages"), texts(agent.locales)],
                    ]}
                />
            </Panel>
        </div>
    );
}
