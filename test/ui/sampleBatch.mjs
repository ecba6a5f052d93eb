// A batch in the middle of its life, as rows of a sandbox's database: jobs, instances, hosts of several kinds, failures of
// several causes, and the parameter table that its jobs travel with.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

import { createConnection } from 'mysql2/promise';

/** Always the same numbers from 0 to 1. */
function random(seed) {
	let state = seed;
	return () => {
		state = (state * 1664525 + 1013904223) >>> 0;
		return state / 2 ** 32;
	};
}

/** The project's database, as its `config.xml` names it. */
async function openDatabase(projectRoot) {
	const config = fs.readFileSync(path.join(projectRoot, 'config.xml'), 'utf8');
	const value = (name) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(config)?.[1] ?? '';
	const [host, port] = value('db_host').split(':');
	const database = await createConnection({
		host,
		port: Number(port),
		user: value('db_user'),
		password: value('db_passwd'),
		database: value('db_name'),
	});
	await database.query("SET SESSION sql_mode = ''"); // columns that are left out are 0 or empty
	return database;
}

async function insert(database, table, rows) {
	for (let at = 0; at < rows.length; at += 500) {
		const some = rows.slice(at, at + 500);
		const columns = Object.keys(some[0]);
		await database.query(`INSERT INTO ${table} (${columns.join(', ')}) VALUES ?`, [
			some.map((row) => columns.map((name) => row[name])),
		]);
	}
}

const KINDS = [
	{ os_name: 'Linux Debian', p_vendor: 'GenuineIntel', misc: { client_version: '8.2.4', docker: { version: '24.0', type: 1 } } },
	{ os_name: 'Linux Ubuntu', p_vendor: 'AuthenticAMD', misc: { client_version: '8.2.4', docker: { version: '4.9', type: 2 } } },
	{ os_name: 'Microsoft Windows 11', p_vendor: 'AuthenticAMD', misc: { client_version: '8.2.4', docker: [{ version: '4.9' }] } },
	{ os_name: 'Microsoft Windows 10', p_vendor: 'GenuineIntel', misc: { client_version: '8.0.2', vbox: { version: '7.0.20' } } },
	{ os_name: 'Darwin', p_vendor: 'Apple', misc: { client_version: '8.2.6', docker: { version: '5.0', type: 2 } } },
];
const FAILURES = [
	[3, (i) => `Traceback (most recent call last):\n  File "fit.py", line ${17}\nValueError: row ${i} has no value`],
	[205, () => 'boinc2docker: The program was stopped: it used 2210 MB of memory, and the job may use 2000 MB.'],
	[197, () => 'boinc2docker: The program was stopped: it has run for 7200 s, which is the limit of the job.'],
	[127, () => 'boinc2docker: The command "fit" is not in the image.'],
];
const stderr = (text) =>
	`<core_client_version>8.2.4</core_client_version>\n<![CDATA[\n<stderr_txt>\ndocker_wrapper 18 starting\nstderr from container:\n${text}\nstderr end\n</stderr_txt>\n]]>\n`;

/** Fills the database; resolves to the batch's id. `now` in UNIX seconds. */
export async function fillSampleBatch(projectRoot, { jobs = 1500, name = 'Fit of 1500 spectra' } = {}) {
	const database = await openDatabase(projectRoot);
	const chance = random(7);
	const now = Math.floor(Date.now() / 1000);
	const start = now - 5 * 3600;
	const [{ insertId: appId }] = await database.query(
		"INSERT INTO app (create_time, name, user_friendly_name) VALUES (?, 'boinc2docker', 'Containers')",
		[start],
	);
	const [{ insertId: batch }] = await database.query(
		'INSERT INTO batch (create_time, name, app_id, state, njobs) VALUES (?, ?, ?, 1, ?)',
		[start, name, appId, jobs],
	);
	await database.query(
		`INSERT INTO app_version (create_time, appid, version_num, platformid, plan_class, xml_doc)
			SELECT ?, ?, 100, id, 'docker', '' FROM platform WHERE name IN ('x86_64-pc-linux-gnu', 'windows_x86_64')`,
		[start, appId],
	);
	fs.writeFileSync(
		path.join(projectRoot, 'plan_class_spec.xml'),
		'<plan_classes><plan_class><name>docker</name><docker/></plan_class></plan_classes>',
	);
	const hosts = Array.from({ length: 48 }, (_, i) => ({
		...KINDS[[0, 0, 1, 1, 2, 2, 3, 4][i % 8]],
		speed: Math.exp((chance() - 0.5) * 1.2),
		cores: [2, 4, 8, 16][i % 4],
	}));
	await insert(
		database,
		'host',
		hosts.map(({ os_name, p_vendor, misc, speed, cores }) => ({
			create_time: start,
			userid: 1,
			rpc_time: now - Math.floor(chance() * 3000),
			os_name,
			p_vendor,
			p_ncpus: cores,
			p_fpops: 4e9 * speed,
			m_nbytes: 16e9,
			d_free: 100e9,
			on_frac: 0.9,
			active_frac: 0.95,
			misc: JSON.stringify(misc),
		})),
	);
	const [[{ first: firstHost }]] = await database.query('SELECT MIN(id) AS first FROM host');
	const params = `b2d_params_${'0123456789abcdef'.repeat(2)}`;
	const jobName = (i) => `b2d_${batch}_${String(i).padStart(6, '0')}`;
	const table = Array.from(
		{ length: jobs },
		(_, i) => `${jobName(i)} E=SPECTRUM=${i} E=WIDTH=${(i % 25) / 10} A=/bin/fit A=--spectrum\\0040${i}`,
	);
	const hash = createHash('md5').update(params).digest('hex').slice(1, 8);
	const folder = path.join(projectRoot, 'download', (Number.parseInt(hash, 16) % 1024).toString(16));
	fs.mkdirSync(folder, { recursive: true });
	fs.writeFileSync(path.join(folder, params), `* M=1\n${table.join('\n')}\n`);

	const work = [];
	const instances = [];
	const workBase = 1 + (await database.query('SELECT COALESCE(MAX(id), 0) AS n FROM workunit'))[0][0].n;
	for (let i = 0; i < jobs; i++) {
		const id = workBase + i;
		const job = {
			id,
			create_time: start,
			appid: appId,
			name: jobName(i),
			batch,
			xml_doc: `<workunit>${params}</workunit>`,
			rsc_fpops_est: 4e12,
			rsc_memory_bound: 2e9,
			rsc_disk_bound: 1e9,
			delay_bound: 86_400,
			transition_time: 2_147_483_647,
			min_quorum: 1,
			target_nresults: 1,
			max_error_results: 2,
			max_total_results: 4,
			max_success_results: 1,
			canonical_resultid: 0,
			assimilate_state: 0,
			error_mask: 0,
		};
		// Jobs start one after another as hosts come and go.
		let sent = start + Math.floor((i / jobs) ** 1.15 * 7.2 * 3600 + chance() * 900);
		for (let tries = 0; tries < 4; tries++) {
			const host = Math.floor(chance() * hosts.length);
			const seconds = Math.floor((1500 / hosts[host].speed) * (0.6 + chance() ** 3 * 2.5));
			const row = {
				name: `${job.name}_${tries}`,
				create_time: start,
				workunitid: id,
				appid: appId,
				batch,
				hostid: 0,
				userid: 0,
				server_state: 2,
				outcome: 0,
				client_state: 0,
				validate_state: 0,
				sent_time: 0,
				received_time: 0,
				report_deadline: 0,
				exit_status: 0,
				elapsed_time: 0,
				stderr_out: '',
			};
			instances.push(row);
			if (sent > now) {
				break;
			}
			Object.assign(row, {
				hostid: firstHost + host,
				userid: 1,
				server_state: 4,
				sent_time: sent,
				report_deadline: sent + 86_400,
			});
			const received = sent + seconds + Math.floor(chance() * 600);
			if (received > now) {
				break;
			}
			const hopeless = i % 61 === 0;
			const cause = hopeless ? 0 : chance() < 0.035 ? 1 + Math.floor(chance() * 3) : undefined;
			Object.assign(row, { server_state: 5, received_time: received });
			if (cause === undefined) {
				Object.assign(row, { outcome: 1, client_state: 5, validate_state: 1, elapsed_time: seconds });
				Object.assign(job, { canonical_resultid: 1, assimilate_state: 2 });
				break;
			}
			const [exit, text] = FAILURES[cause];
			Object.assign(row, {
				outcome: 3,
				client_state: 3,
				validate_state: 2,
				exit_status: exit,
				elapsed_time: 40,
				stderr_out: stderr(text(i)),
			});
			sent = received + 60;
			if (tries === 2) {
				job.error_mask = 2;
				break;
			}
		}
		work.push(job);
	}
	await insert(database, 'workunit', work);
	await insert(database, 'result', instances);
	await database.query(
		'UPDATE workunit w JOIN result r ON r.workunitid = w.id AND r.outcome = 1 SET w.canonical_resultid = r.id WHERE w.batch = ?',
		[batch],
	);
	return { batch, database };
}
