-- A WAPT 1.8 server's database, as far as an import looks at it (the columns that 1.8.2 has), and what may stand in one.
-- In place of what stands in braces after 'cert:' comes a certificate of that name.
CREATE TABLE serverattribs (key varchar(255) PRIMARY KEY, value jsonb);
INSERT INTO serverattribs VALUES ('db_version', '"1.8.2.1"');
CREATE TABLE hosts (created_on timestamp, created_by varchar(255), updated_on timestamp, updated_by varchar(255), uuid varchar(255) PRIMARY KEY,
  computer_fqdn varchar(255), description varchar(255), computer_name varchar(255), host_certificate text, registration_auth_user varchar(255),
  os_name varchar(255), host_status varchar(255), last_seen_on varchar(255), reachable varchar(20), wapt_status jsonb, last_update_status jsonb,
  host_info jsonb, host_capabilities jsonb, host_metrics jsonb, dmi jsonb, wmi jsonb);
CREATE TABLE hostpackagesstatus (created_on timestamp, id serial PRIMARY KEY, host_id varchar(255) REFERENCES hosts (uuid) ON DELETE CASCADE,
  package_uuid varchar(255), name varchar(255), package varchar(255), version varchar(255), architecture varchar(255), locale varchar(255),
  maturity varchar(255), section varchar(255), description text, install_status varchar(255), install_date varchar(255), install_output text,
  explicit_by varchar(255), last_audit_status varchar(255), last_audit_on varchar(255), last_audit_output text);
CREATE TABLE hostsoftwares (id serial PRIMARY KEY, host_id varchar(255) REFERENCES hosts (uuid) ON DELETE CASCADE, name varchar(2000),
  version varchar(1000), publisher varchar(2000), key varchar(600), system_component varchar(255), uninstall_string varchar(2000),
  install_date varchar(255), install_location varchar(2000));
CREATE TABLE hostgroups (id serial PRIMARY KEY, host_id varchar(255), group_name varchar(255) NOT NULL);
CREATE TABLE waptusers (id serial PRIMARY KEY, name varchar(255), auth_method varchar(255), user_certificate text,
  user_fingerprint_sha1 varchar(255), user_fingerprint_sha256 varchar(255));
CREATE TABLE waptuseracls (id serial PRIMARY KEY, user_fingerprint_sha1 varchar(255) NOT NULL, perimeter_fingerprint varchar(255) NOT NULL,
  acls varchar(255)[], expiration_date timestamp);
CREATE TABLE reportingqueries (id serial PRIMARY KEY, name varchar(255) NOT NULL, query varchar(2000), settings json);
CREATE TABLE normalization (original_name varchar(2000), key varchar(600), normalized_name varchar(2000), banned boolean, windows_update boolean,
  PRIMARY KEY (original_name, key));

INSERT INTO hosts (created_on, uuid, computer_fqdn, computer_name, host_certificate, registration_auth_user, os_name, host_status, last_seen_on,
                   wapt_status, last_update_status, host_info, host_capabilities, host_metrics, dmi) VALUES
  ('2021-03-04 05:06:07', 'moved-machine', 'pc-1.example.org', 'pc-1', '{cert:moved-machine}', 'kerb:pc-1.example.org', 'Debian', 'OK',
   '2024-05-06T07:08:09.123', '{"wapt-version-full": "1.8.2"}', '{"upgrades": [], "errors": []}',
   '{"computer_name": "pc-1", "computer_fqdn": "pc-1.example.org", "platform": "Linux", "system_manufacturer": "Dell",
     "environ": {"AWS_SECRET": "geheim"}, "windows_product_infos": {"key": "geheim"}}',
   '{"wapt_version": "1.8.2.7393", "architecture": "x64"}', '{"physical_memory": 8000}', '{"System_Information": {"Serial_Number": "SN-1"}}'),
  ('2021-03-04', 'BY-FQDN', 'PC-2.example.org', 'pc-2', '{cert:pc-2.example.org}', NULL, '=cmd|calc', '<script>', 'yesterday', NULL, NULL,
   '"no object"', '[]', NULL, NULL),
  ('2021-03-04', 'not-its-own', 'pc-3.example.org', 'pc-3', '{cert:moved-machine}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (NULL, 'no-certificate', 'pc-4.example.org', 'pc-4', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (NULL, 'bad-certificate', 'pc-5.example.org', 'pc-5', 'PEM', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (NULL, '../../etc/passwd', 'pc-6.example.org', E'\x1b[31m', '{cert:moved-machine}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (NULL, ''' OR 1=1 --', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO hostpackagesstatus (host_id, package, version, architecture, install_status, install_date, last_audit_status, description) VALUES
  ('moved-machine', 'tis-firefox', '115.9-2', 'x64', 'OK', '2024-01-02T03:04:05', 'WARNING', 'a browser'),
  ('moved-machine', 'tis-vim', '9-1', 'all', 'ERROR', 'rubbish', NULL, repeat('x', 100000)),
  ('BY-FQDN', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO hostsoftwares (host_id, name, version, publisher, system_component) VALUES
  ('moved-machine', 'Mozilla Firefox (x64 fr)', '115.9', 'Mozilla', ''), ('moved-machine', '100%_sure', '1', '', '1');
INSERT INTO hostgroups (host_id, group_name) VALUES ('moved-machine', 'sales'), ('BY-FQDN', 'sales'), ('BY-FQDN', 'none (');
INSERT INTO waptusers (name, user_fingerprint_sha1) VALUES ('admin', 'admin'), ('chief', 'c1'), ('packager', 'p1'), ('late', 'l1'), ('partial', 'r1'), ('nobody', NULL),
  ('reporter', 'w1'), ('enroller', 'e1');
INSERT INTO waptuseracls (user_fingerprint_sha1, perimeter_fingerprint, acls, expiration_date) VALUES
  ('admin', '*', '{admin}', NULL), ('c1', '*', '{admin}', NULL), ('p1', '*', '{view,edit_host_package}', now() + interval '1 day'),
  ('l1', '*', '{admin}', now() - interval '1 day'), ('r1', 'abcdef', '{admin}', NULL),
  ('w1', '*', '{edit_report}', NULL), ('e1', '*', '{register_host}', NULL);
INSERT INTO reportingqueries (name, query) VALUES ('machines', 'SELECT uuid, name FROM hosts'), ('old/columns', 'SELECT computer_fqdn FROM hosts'),
  ('evil', 'SELECT hash FROM users'), ('drop', 'DROP TABLE hosts');
INSERT INTO normalization VALUES ('Mozilla Firefox (x64 fr)', '', 'Firefox', false, false), ('100%_sure', '', 'Sure', false, false), ('x', '', '', true, false);
