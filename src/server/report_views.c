/* report_views.c - what reports see of the database: these views, as docs/reports.md describes
 * them. No secret is in them: no certificate, no hash, no token, no session.
 *
 * A view that changes needs the next WA_FOREIGN_SCHEMA, since PostgreSQL keeps what was made.
 */
#include "server/report.h"

static const struct wa_foreign_view views[] = {
    {"hosts",
     "SELECT h.uuid, h.name, h.fqdn, h.os, h.status, h.registered_at, h.registered_by, "
     "p.last_seen, COALESCE(f.platform, '') AS platform, COALESCE(f.os_version, '') AS os_version, "
     "COALESCE(f.kernel, '') AS kernel, COALESCE(f.architecture, '') AS architecture, "
     "COALESCE(f.description, '') AS description, COALESCE(f.manufacturer, '') AS manufacturer, "
     "COALESCE(f.model, '') AS model, COALESCE(f.serial, '') AS serial, COALESCE(f.chassis, '') AS "
     "chassis, COALESCE(f.cpu, '') AS cpu, COALESCE(f.memory, '') AS memory, COALESCE(f.ips, '') "
     "AS ips, COALESCE(f.macs, '') AS macs, COALESCE(f.domain, '') AS domain, COALESCE(f.site, '') "
     "AS site, COALESCE(f.dn, '') AS dn, COALESCE(f.users, '') AS users, COALESCE(f.last_user, '') "
     "AS last_user, COALESCE(f.agent_version, '') AS agent_version, COALESCE(f.errors, 0) AS "
     "errors, COALESCE(f.upgrades, 0) AS upgrades, COALESCE(f.windows, '') AS windows, "
     "COALESCE(f.held, '') AS held, COALESCE(f.waits, '') AS waits_for, COALESCE(f.root_version, "
     "0) AS root_version, COALESCE(f.orderers, '') AS orderers, COALESCE(f.window_begin, 0) AS "
     "window_begin, COALESCE(f.window_end, 0) AS window_end, COALESCE(f.frozen_until, 0) AS "
     "frozen_until, COALESCE(f.utc_offset, 0) AS utc_offset FROM @hosts h LEFT JOIN "
     "@presence p ON p.uuid = h.uuid LEFT JOIN @host_facts f ON f.host = h.number",
     "h.number"},
    {"packages",
     "SELECT h.uuid, h.name AS host, s.package, s.version, s.version_key, s.status, s.is_explicit, "
     "s.installed_at, s.audit, s.audited_at, s.audit_says FROM @package_states s JOIN @hosts h ON "
     "h.number = s.host",
     "s.host"},
    {"software",
     "SELECT h.uuid, h.name AS host, t.name, t.normal_name, t.version, t.version_key, t.publisher, "
     "t.is_system FROM @software_titles t JOIN @host_software s ON s.title = t.id JOIN @hosts h ON "
     "h.number = s.host",
     "s.host"},
    {"audits",
     "SELECT h.uuid, h.name AS host, s.package, s.version, s.audit, s.audited_at, s.audit_says "
     "FROM (SELECT * FROM @package_states WHERE audit <> '') s JOIN @hosts h ON h.number = s.host",
     "s.host"},
    {"history",
     "SELECT h.uuid, h.name AS host, e.seq, e.at, e.event, e.package, e.version, e.was, e.status "
     "FROM @package_history e JOIN @hosts h ON h.number = e.host",
     "e.host"},
    {"actions",
     "SELECT h.uuid, h.name AS host, a.id, a.batch, a.kind, a.state, a.code, a.message, a.signer, "
     "a.created, a.updated, a.not_before, a.not_after FROM @actions a JOIN @hosts h ON h.uuid = "
     "a.uuid",
     "h.number"},
};

const struct wa_foreign_view *wa_report_views(size_t *ret_count)
{
    *ret_count = WA_COUNT(views);
    return views;
}
