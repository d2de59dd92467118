-- The tables of the agent of WAPT 1.5.1 (structure version 20180303).
CREATE TABLE wapt_package (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  package varchar(255),
  version varchar(255),
  architecture varchar(255),
  section varchar(255),
  priority varchar(255),
  maintainer varchar(255),
  description varchar(255),
  filename varchar(255),
  size integer,
  md5sum varchar(255),
  depends varchar(800),
  conflicts varchar(800),
  sources varchar(255),
  repo_url varchar(255),
  repo varchar(255),
  signer varchar(255),
  signer_fingerprint varchar(255),
  signature varchar(255),
  signature_date varchar(255),
  signed_attributes varchar(800),
  min_wapt_version varchar(255),
  maturity varchar(255),
  locale varchar(255),
  installed_size integer,
  target_os varchar(255),
  max_os_version varchar(255),
  min_os_version varchar(255),
  impacted_process varchar(255)
);
CREATE INDEX idx_package_name ON wapt_package (package);
CREATE TABLE wapt_localstatus (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  package varchar(255),
  version varchar(255),
  version_pinning varchar(255),
  explicit_by varchar(255),
  architecture varchar(255),
  maturity varchar(255),
  locale varchar(255),
  install_date varchar(255),
  install_status varchar(255),
  install_output TEXT,
  install_params varchar(800),
  uninstall_string varchar(255),
  uninstall_key varchar(255),
  setuppy TEXT,
  process_id integer,
  depends varchar(800),
  conflicts varchar(800),
  last_audit_on varchar(255),
  last_audit_status varchar(255),
  last_audit_output TEXT,
  next_audit_on varchar(255),
  impacted_process varchar(255)
);
CREATE INDEX idx_localstatus_package ON wapt_localstatus (package);
CREATE INDEX idx_localstatus_install_status ON wapt_localstatus (install_status);
CREATE INDEX idx_localstatus_next_audit_on ON wapt_localstatus (next_audit_on);
CREATE TABLE wapt_params (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name varchar(64),
  value text,
  ptype varchar(10),
  create_date varchar(255)
);
CREATE UNIQUE INDEX idx_params_name ON wapt_params (name);
CREATE TRIGGER inc_rev_ins_status AFTER INSERT ON wapt_params WHEN new.name NOT IN ('status_revision', 'last_update_server_hashes')
  BEGIN UPDATE wapt_params SET value = CAST(value AS integer) + 1 WHERE name = 'status_revision'; END;
CREATE TRIGGER inc_rev_upd_status AFTER UPDATE ON wapt_params WHEN new.name <> 'status_revision'
  BEGIN UPDATE wapt_params SET value = CAST(value AS integer) + 1 WHERE name = 'status_revision'; END;
CREATE TRIGGER inc_rev_del_status AFTER DELETE ON wapt_params WHEN old.name <> 'status_revision'
  BEGIN UPDATE wapt_params SET value = CAST(value AS integer) + 1 WHERE name = 'status_revision'; END;
CREATE TABLE wapt_task (id INTEGER PRIMARY KEY AUTOINCREMENT, action varchar(16), state varchar(16), current_step varchar(255),
  process_id integer, start_date varchar(255), finish_date varchar(255), package_name varchar(255), username varchar(255),
  package_version_min varchar(255), package_version_max varchar(255), rundate_min varchar(255), rundate_max varchar(255),
  rundate_nexttry varchar(255), runduration_max integer, created_date varchar(255), run_params varchar(800), run_output text);
CREATE INDEX idx_task_state ON wapt_task (state);
CREATE INDEX idx_task_package_name ON wapt_task (package_name);
CREATE TABLE wapt_sessionsetup (id INTEGER PRIMARY KEY AUTOINCREMENT, username varchar(255), package varchar(255),
  version varchar(255), architecture varchar(255), maturity varchar(255), locale varchar(255), install_date varchar(255),
  install_status varchar(255), install_output text);
CREATE INDEX idx_sessionsetup_username ON wapt_sessionsetup (username, package);
INSERT INTO wapt_params (name, value, ptype, create_date) VALUES ('db_version', '20180303', 'str', '2020-01-01T00:00:00');
INSERT INTO wapt_params (name, value, ptype, create_date) VALUES ('status_revision', '1', 'int', '2020-01-01T00:00:00');
