-- The tables of a BOINC project that tools, daemons, the scheduler and status readers touch. Columns, types, defaults
-- and keys are those a real project has, so that the same queries and the same plans work on both.

CREATE TABLE platform (
	id INT NOT NULL AUTO_INCREMENT,
	create_time INT NOT NULL,
	name VARCHAR(191) NOT NULL,
	user_friendly_name VARCHAR(254) NOT NULL,
	deprecated TINYINT NOT NULL DEFAULT 0,
	PRIMARY KEY (id),
	UNIQUE KEY name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE app (
	id INT NOT NULL AUTO_INCREMENT,
	create_time INT NOT NULL,
	name VARCHAR(191) NOT NULL,
	min_version INT NOT NULL DEFAULT 0,
	deprecated SMALLINT NOT NULL DEFAULT 0,
	user_friendly_name VARCHAR(254) NOT NULL,
	homogeneous_redundancy SMALLINT NOT NULL DEFAULT 0,
	weight DOUBLE NOT NULL DEFAULT 1,
	beta SMALLINT NOT NULL DEFAULT 0,
	target_nresults SMALLINT NOT NULL DEFAULT 0,
	min_avg_pfc DOUBLE NOT NULL DEFAULT 1,
	host_scale_check INT NOT NULL DEFAULT 0,
	homogeneous_app_version SMALLINT NOT NULL DEFAULT 0,
	non_cpu_intensive INT NOT NULL DEFAULT 0,
	locality_scheduling INT NOT NULL DEFAULT 0,
	n_size_classes SMALLINT NOT NULL DEFAULT 0,
	fraction_done_exact TINYINT NOT NULL DEFAULT 0,
	PRIMARY KEY (id),
	UNIQUE KEY name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE app_version (
	id INT NOT NULL AUTO_INCREMENT,
	create_time INT NOT NULL,
	appid INT NOT NULL,
	version_num INT NOT NULL,
	platformid INT NOT NULL,
	xml_doc MEDIUMBLOB,
	min_core_version INT NOT NULL DEFAULT 0,
	max_core_version INT NOT NULL DEFAULT 0,
	deprecated TINYINT NOT NULL DEFAULT 0,
	plan_class VARCHAR(128) NOT NULL DEFAULT '',
	pfc_n DOUBLE NOT NULL DEFAULT 0,
	pfc_avg DOUBLE NOT NULL DEFAULT 0,
	pfc_scale DOUBLE NOT NULL DEFAULT 0,
	expavg_credit DOUBLE NOT NULL DEFAULT 0,
	expavg_time DOUBLE NOT NULL DEFAULT 0,
	beta TINYINT NOT NULL DEFAULT 0,
	PRIMARY KEY (id),
	UNIQUE KEY apvp (appid, platformid, version_num, plan_class)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE workunit (
	id INT NOT NULL AUTO_INCREMENT,
	create_time INT NOT NULL,
	appid INT NOT NULL,
	name VARCHAR(191) NOT NULL,
	xml_doc BLOB,
	batch INT NOT NULL,
	rsc_fpops_est DOUBLE NOT NULL,
	rsc_fpops_bound DOUBLE NOT NULL,
	rsc_memory_bound DOUBLE NOT NULL,
	rsc_disk_bound DOUBLE NOT NULL,
	need_validate SMALLINT NOT NULL,
	canonical_resultid INT NOT NULL,
	canonical_credit DOUBLE NOT NULL,
	transition_time INT NOT NULL,
	delay_bound INT NOT NULL,
	error_mask INT NOT NULL,
	file_delete_state INT NOT NULL,
	assimilate_state INT NOT NULL,
	hr_class INT NOT NULL,
	opaque DOUBLE NOT NULL,
	min_quorum INT NOT NULL,
	target_nresults INT NOT NULL,
	max_error_results INT NOT NULL,
	max_total_results INT NOT NULL,
	max_success_results INT NOT NULL,
	result_template_file VARCHAR(63) NOT NULL,
	priority INT NOT NULL,
	mod_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
	rsc_bandwidth_bound DOUBLE NOT NULL,
	fileset_id INT NOT NULL,
	app_version_id INT NOT NULL,
	transitioner_flags TINYINT NOT NULL,
	size_class SMALLINT NOT NULL DEFAULT -1,
	keywords VARCHAR(254) NOT NULL,
	app_version_num INT NOT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY name (name),
	KEY wu_val (appid, need_validate),
	KEY wu_timeout (transition_time),
	KEY wu_filedel (file_delete_state),
	KEY wu_assim (appid, assimilate_state),
	KEY wu_batch (batch)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE result (
	id INT NOT NULL AUTO_INCREMENT,
	create_time INT NOT NULL,
	workunitid INT NOT NULL,
	server_state INT NOT NULL,
	outcome INT NOT NULL,
	client_state INT NOT NULL,
	hostid INT NOT NULL,
	userid INT NOT NULL,
	report_deadline INT NOT NULL,
	sent_time INT NOT NULL,
	received_time INT NOT NULL,
	name VARCHAR(191) NOT NULL,
	cpu_time DOUBLE NOT NULL,
	xml_doc_in BLOB,
	xml_doc_out BLOB,
	stderr_out BLOB,
	batch INT NOT NULL,
	file_delete_state INT NOT NULL,
	validate_state INT NOT NULL,
	claimed_credit DOUBLE NOT NULL,
	granted_credit DOUBLE NOT NULL,
	opaque DOUBLE NOT NULL,
	random INT NOT NULL,
	app_version_num INT NOT NULL,
	appid INT NOT NULL,
	exit_status INT NOT NULL,
	teamid INT NOT NULL,
	priority INT NOT NULL,
	mod_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
	elapsed_time DOUBLE NOT NULL,
	flops_estimate DOUBLE NOT NULL,
	app_version_id INT NOT NULL,
	runtime_outlier TINYINT NOT NULL,
	size_class SMALLINT NOT NULL DEFAULT -1,
	peak_working_set_size DOUBLE NOT NULL,
	peak_swap_size DOUBLE NOT NULL,
	peak_disk_usage DOUBLE NOT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY name (name),
	KEY res_wuid (workunitid),
	KEY ind_res_st (server_state, priority),
	KEY res_app_state (appid, server_state),
	KEY res_filedel (file_delete_state),
	KEY res_userid_id (userid, id DESC),
	KEY res_userid_val (userid, validate_state),
	KEY res_hostid_id (hostid, id DESC),
	KEY res_batch (batch)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE batch (
	id SERIAL PRIMARY KEY,
	user_id INT NOT NULL,
	create_time INT NOT NULL,
	logical_start_time DOUBLE NOT NULL,
	logical_end_time DOUBLE NOT NULL,
	est_completion_time DOUBLE NOT NULL,
	njobs INT NOT NULL,
	fraction_done DOUBLE NOT NULL,
	nerror_jobs INT NOT NULL,
	state INT NOT NULL,
	completion_time DOUBLE NOT NULL,
	credit_estimate DOUBLE NOT NULL,
	credit_canonical DOUBLE NOT NULL,
	credit_total DOUBLE NOT NULL,
	name VARCHAR(255) NOT NULL,
	app_id INT NOT NULL,
	project_state INT NOT NULL,
	description VARCHAR(255) NOT NULL,
	expire_time DOUBLE NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE assignment (
	id INT NOT NULL AUTO_INCREMENT,
	create_time INT NOT NULL,
	target_id INT NOT NULL,
	target_type INT NOT NULL,
	multi INT NOT NULL,
	workunitid INT NOT NULL,
	resultid INT NOT NULL,
	PRIMARY KEY (id),
	KEY asgn_target (target_type, target_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE user (
	id INT NOT NULL AUTO_INCREMENT,
	create_time INT NOT NULL,
	email_addr VARCHAR(191) NOT NULL,
	name VARCHAR(191) NOT NULL,
	authenticator VARCHAR(191) NOT NULL,
	country VARCHAR(191) NOT NULL DEFAULT '',
	postal_code VARCHAR(191) NOT NULL DEFAULT '',
	total_credit DOUBLE NOT NULL DEFAULT 0,
	expavg_credit DOUBLE NOT NULL DEFAULT 0,
	expavg_time DOUBLE NOT NULL DEFAULT 0,
	global_prefs BLOB,
	project_prefs BLOB,
	teamid INT NOT NULL DEFAULT 0,
	venue VARCHAR(191) NOT NULL DEFAULT '',
	url VARCHAR(191) NOT NULL DEFAULT '',
	send_email SMALLINT NOT NULL DEFAULT 0,
	show_hosts SMALLINT NOT NULL DEFAULT 0,
	posts SMALLINT NOT NULL DEFAULT 0,
	seti_id INT NOT NULL DEFAULT 0,
	seti_nresults INT NOT NULL DEFAULT 0,
	seti_last_result_time INT NOT NULL DEFAULT 0,
	seti_total_cpu DOUBLE NOT NULL DEFAULT 0,
	signature VARCHAR(254) NOT NULL DEFAULT '',
	has_profile SMALLINT NOT NULL DEFAULT 0,
	cross_project_id VARCHAR(191) NOT NULL DEFAULT '',
	passwd_hash VARCHAR(254) NOT NULL DEFAULT '',
	email_validated SMALLINT NOT NULL DEFAULT 0,
	donated SMALLINT NOT NULL DEFAULT 0,
	login_token CHAR(32) NOT NULL DEFAULT '',
	login_token_time DOUBLE NOT NULL DEFAULT 0,
	previous_email_addr VARCHAR(254) NOT NULL DEFAULT '',
	email_addr_change_time DOUBLE NOT NULL DEFAULT 0,
	PRIMARY KEY (id),
	UNIQUE KEY user_email (email_addr),
	UNIQUE KEY user_auth (authenticator),
	UNIQUE KEY user_name (name),
	KEY user_tot (total_credit DESC),
	KEY user_avg (expavg_credit DESC),
	KEY user_teamid (teamid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE team (
	id INT NOT NULL AUTO_INCREMENT,
	create_time INT NOT NULL,
	userid INT NOT NULL,
	name VARCHAR(191) NOT NULL,
	name_lc VARCHAR(254) NOT NULL DEFAULT '',
	url VARCHAR(254) NOT NULL DEFAULT '',
	type INT NOT NULL DEFAULT 0,
	name_html VARCHAR(254) NOT NULL DEFAULT '',
	description TEXT,
	nusers INT NOT NULL DEFAULT 0,
	country VARCHAR(254) NOT NULL DEFAULT '',
	total_credit DOUBLE NOT NULL DEFAULT 0,
	expavg_credit DOUBLE NOT NULL DEFAULT 0,
	expavg_time DOUBLE NOT NULL DEFAULT 0,
	seti_id INT NOT NULL DEFAULT 0,
	ping_user INT NOT NULL DEFAULT 0,
	ping_time INT UNSIGNED NOT NULL DEFAULT 0,
	joinable TINYINT NOT NULL DEFAULT 1,
	mod_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
	PRIMARY KEY (id),
	UNIQUE KEY name (name),
	KEY team_avg (expavg_credit DESC),
	KEY team_tot (total_credit DESC)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE host (
	id INT NOT NULL AUTO_INCREMENT,
	create_time INT NOT NULL,
	userid INT NOT NULL,
	rpc_seqno INT NOT NULL DEFAULT 0,
	rpc_time INT NOT NULL DEFAULT 0,
	total_credit DOUBLE NOT NULL DEFAULT 0,
	expavg_credit DOUBLE NOT NULL DEFAULT 0,
	expavg_time DOUBLE NOT NULL DEFAULT 0,
	timezone INT NOT NULL DEFAULT 0,
	domain_name VARCHAR(191) NOT NULL DEFAULT '',
	serialnum VARCHAR(191) NOT NULL DEFAULT '',
	last_ip_addr VARCHAR(191) NOT NULL DEFAULT '',
	nsame_ip_addr INT NOT NULL DEFAULT 0,
	on_frac DOUBLE NOT NULL DEFAULT 0,
	connected_frac DOUBLE NOT NULL DEFAULT 0,
	active_frac DOUBLE NOT NULL DEFAULT 0,
	cpu_efficiency DOUBLE NOT NULL DEFAULT 0,
	duration_correction_factor DOUBLE NOT NULL DEFAULT 0,
	p_ncpus INT NOT NULL DEFAULT 0,
	p_vendor VARCHAR(254) NOT NULL DEFAULT '',
	p_model VARCHAR(254) NOT NULL DEFAULT '',
	p_fpops DOUBLE NOT NULL DEFAULT 0,
	p_iops DOUBLE NOT NULL DEFAULT 0,
	p_membw DOUBLE NOT NULL DEFAULT 0,
	os_name VARCHAR(191) NOT NULL DEFAULT '',
	os_version VARCHAR(191) NOT NULL DEFAULT '',
	m_nbytes DOUBLE NOT NULL DEFAULT 0,
	m_cache DOUBLE NOT NULL DEFAULT 0,
	m_swap DOUBLE NOT NULL DEFAULT 0,
	d_total DOUBLE NOT NULL DEFAULT 0,
	d_free DOUBLE NOT NULL DEFAULT 0,
	d_boinc_used_total DOUBLE NOT NULL DEFAULT 0,
	d_boinc_used_project DOUBLE NOT NULL DEFAULT 0,
	d_boinc_max DOUBLE NOT NULL DEFAULT 0,
	n_bwup DOUBLE NOT NULL DEFAULT 0,
	n_bwdown DOUBLE NOT NULL DEFAULT 0,
	credit_per_cpu_sec DOUBLE NOT NULL DEFAULT 0,
	venue VARCHAR(191) NOT NULL DEFAULT '',
	nresults_today INT NOT NULL DEFAULT 0,
	avg_turnaround DOUBLE NOT NULL DEFAULT 0,
	host_cpid VARCHAR(191) NOT NULL DEFAULT '',
	external_ip_addr VARCHAR(191) NOT NULL DEFAULT '',
	max_results_day INT NOT NULL DEFAULT 0,
	error_rate DOUBLE NOT NULL DEFAULT 0,
	product_name VARCHAR(254) NOT NULL DEFAULT '',
	gpu_active_frac DOUBLE NOT NULL DEFAULT 0,
	p_ngpus INT NOT NULL DEFAULT 0,
	p_gpu_fpops DOUBLE NOT NULL DEFAULT 0,
	misc TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (id),
	KEY host_userid_cpid (userid, host_cpid),
	KEY host_domain_name (domain_name),
	KEY host_avg (expavg_credit DESC),
	KEY host_tot (total_credit DESC)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE host_app_version (
	host_id INT NOT NULL,
	app_version_id INT NOT NULL,
	pfc_n DOUBLE NOT NULL DEFAULT 0,
	pfc_avg DOUBLE NOT NULL DEFAULT 0,
	et_n DOUBLE NOT NULL DEFAULT 0,
	et_avg DOUBLE NOT NULL DEFAULT 0,
	et_var DOUBLE NOT NULL DEFAULT 0,
	et_q DOUBLE NOT NULL DEFAULT 0,
	max_jobs_per_day INT NOT NULL DEFAULT 0,
	n_jobs_today INT NOT NULL DEFAULT 0,
	turnaround_n DOUBLE NOT NULL DEFAULT 0,
	turnaround_avg DOUBLE NOT NULL DEFAULT 0,
	turnaround_var DOUBLE NOT NULL DEFAULT 0,
	turnaround_q DOUBLE NOT NULL DEFAULT 0,
	consecutive_valid INT NOT NULL DEFAULT 0,
	UNIQUE KEY hap (host_id, app_version_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE user_submit (
	user_id INT NOT NULL,
	quota DOUBLE NOT NULL,
	logical_start_time DOUBLE NOT NULL,
	submit_all TINYINT NOT NULL,
	manage_all TINYINT NOT NULL,
	max_jobs_in_progress INT NOT NULL,
	UNIQUE KEY user_submit_id (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE user_submit_app (
	user_id INT NOT NULL,
	app_id INT NOT NULL,
	manage TINYINT NOT NULL,
	UNIQUE KEY user_submit_app_id (user_id, app_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE consent_type (
	id INT NOT NULL AUTO_INCREMENT,
	shortname VARCHAR(255) NOT NULL,
	description VARCHAR(255) NOT NULL,
	enabled INT NOT NULL,
	project_specific INT NOT NULL,
	privacypref INT NOT NULL,
	PRIMARY KEY (id),
	KEY consent_name (shortname)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE consent (
	id INT NOT NULL AUTO_INCREMENT,
	userid INT NOT NULL,
	consent_type_id INT NOT NULL,
	consent_time INT NOT NULL,
	consent_flag TINYINT NOT NULL,
	consent_not_required TINYINT NOT NULL,
	source VARCHAR(255) NOT NULL,
	PRIMARY KEY (id),
	KEY userid_ctid (userid, consent_type_id),
	KEY consent_timestamp (consent_time),
	KEY flag_ctid (consent_flag, consent_type_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE msg_from_host (
	id INT NOT NULL AUTO_INCREMENT,
	create_time INT NOT NULL,
	hostid INT NOT NULL,
	variety VARCHAR(254) NOT NULL,
	handled SMALLINT NOT NULL,
	xml MEDIUMTEXT,
	PRIMARY KEY (id),
	KEY message_handled (handled)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE msg_to_host (
	id INT NOT NULL AUTO_INCREMENT,
	create_time INT NOT NULL,
	hostid INT NOT NULL,
	variety VARCHAR(254) NOT NULL,
	handled SMALLINT NOT NULL,
	xml MEDIUMTEXT,
	PRIMARY KEY (id),
	KEY msg_to_host (hostid, handled)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE credited_job (
	userid INT NOT NULL,
	workunitid BIGINT NOT NULL,
	KEY credited_job_user (userid),
	KEY credited_job_wu (workunitid),
	UNIQUE KEY credited_job_user_wu (userid, workunitid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE credit_user (
	userid INT NOT NULL,
	appid INT NOT NULL,
	njobs INT NOT NULL,
	total DOUBLE NOT NULL,
	expavg DOUBLE NOT NULL,
	expavg_time DOUBLE NOT NULL,
	credit_type INT NOT NULL,
	PRIMARY KEY (userid, appid, credit_type)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE credit_team (
	teamid INT NOT NULL,
	appid INT NOT NULL,
	njobs INT NOT NULL,
	total DOUBLE NOT NULL,
	expavg DOUBLE NOT NULL,
	expavg_time DOUBLE NOT NULL,
	credit_type INT NOT NULL,
	PRIMARY KEY (teamid, appid, credit_type)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE job_file (
	id INT NOT NULL AUTO_INCREMENT,
	name VARCHAR(255) NOT NULL,
	create_time DOUBLE NOT NULL,
	delete_time DOUBLE NOT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY jf_name (name)
) ENGINE=InnoDB DEFAULT CHARSET=latin1;

CREATE TABLE token (
	token VARCHAR(255) NOT NULL,
	userid INT NOT NULL,
	type CHAR(1) NOT NULL,
	create_time INT NOT NULL,
	PRIMARY KEY (token),
	KEY token_userid (userid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
