import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

import { rangesOf } from '../../src/common/ranges.js';
import { createBatch } from '../../src/project/batches.js';
import type { Lab, Ran } from './lab.js';

/**
 * A platform that no volunteer has: jobs of the probe app can reach nobody but the client in `fakeClient.ts`, and that
 * client can be given no job of anybody else.
 */
export const PROBE_PLATFORM = 'powerpc64-ps3-linux-gnu';
/** Plan class of the probe app; BOINC goes by the part `docker` in the name. */
export const PROBE_CLASS = 'b2dprobe_docker';

export interface ProbeApp {
	readonly name: string;
	readonly id: number;
	readonly batchId: number;
	/** What the first run of `bin/xadd` said. */
	readonly added: Ran;
}

/** An app of our own for the checks: a row by `bin/xadd`, a batch, nothing installed yet. */
export function probeApp(lab: Lab): Promise<ProbeApp> {
	return lab.once('probe app', async () => {
		const name = lab.tag;
		await editProjectXml(lab, (text) => text.replace('</boinc>', `${appElement(name)}</boinc>`));
		lab.defer('project.xml', () => editProjectXml(lab, (text) => text.replace(appElement(name), '')));
		const added = await lab.tool('xadd', []);
		const rows = await lab.select<{ id: number }>('SELECT id FROM app WHERE name = ?', name);
		if (!rows[0]) {
			throw new Error(`bin/xadd did not add the app: ${added.stdout}${added.stderr}`);
		}
		const { id } = rows[0];
		lab.defer('rows of the probe app', () => withdraw(lab, id));
		lab.defer('folder of the probe app', () => lab.sh('rm -rf "apps/$1"; rm -f download/"$1"_*; rm -rf templates/"$1"_*', name));
		const batchId = await createBatch(lab.project, { name: `conformance ${name}`, appId: id, description: 'conformance checks' });
		lab.defer('batch row', () => lab.write('DELETE FROM batch WHERE id = ? AND app_id = ?', batchId, id));
		return { name, id, batchId, added };
	});
}

const appElement = (name: string): string =>
	`\t<app>\n\t\t<name>${name}</name>\n\t\t<user_friendly_name>Conformance ${name}</user_friendly_name>\n\t</app>\n`;

async function editProjectXml(lab: Lab, edit: (text: string) => string): Promise<void> {
	const text = await lab.get('project.xml');
	const changed = edit(text);
	if (changed === text) {
		throw new Error('project.xml is not as expected');
	}
	await lab.put('project.xml', changed);
}

/** Ends the jobs of the probe app, removes their rows, and leaves the app deprecated. */
async function withdraw(lab: Lab, appId: number): Promise<void> {
	await lab.write('UPDATE app SET deprecated = 1 WHERE id = ?', appId);
	await lab.write('UPDATE app_version SET deprecated = 1 WHERE appid = ?', appId);
	await cancelProbeJobs(lab);
	await lab.write('DELETE FROM result WHERE appid = ?', appId);
	await lab.write('DELETE FROM workunit WHERE appid = ?', appId);
	await lab.sh('touch reread_db');
}

/**
 * Cancels all jobs of the probe app that are neither over nor on a host. Unsent instances that nobody can take would fill the
 * feeder's array and keep other apps' jobs from being sent.
 */
export async function cancelProbeJobs(lab: Lab): Promise<void> {
	if (!lab.hasMade('probe app')) {
		return;
	}
	const app = await probeApp(lab);
	const rows = await lab.select<{ id: number }>(
		`SELECT id FROM workunit WHERE appid = ? AND error_mask & 16 = 0 AND canonical_resultid = 0
			AND id NOT IN (SELECT workunitid FROM result WHERE appid = ? AND hostid > 0) ORDER BY id`,
		app.id,
		app.id,
	);
	for (const [first, last] of rangesOf(rows.map((row) => row.id))) {
		await lab.tool('cancel_jobs', [String(first), String(last)]);
	}
}

/** Writes `templates/TAG_NAME` and resolves to that path, relative to the project. */
export async function template(lab: Lab, name: string, text: string): Promise<string> {
	const path = `templates/${lab.tag}_${name}`;
	await lab.once(`template ${name}`, () => lab.put(path, text));
	return path;
}

/** A template for jobs without files, with room for more elements of `<workunit>`. */
export const noFiles = (more = ''): string =>
	`<input_template>\n<workunit>\n<max_error_results>3</max_error_results>\n<max_total_results>5</max_total_results>\n${more}</workunit>\n</input_template>\n`;

export const oneFile = (openName = 'in.txt'): string =>
	`<input_template>\n<file_info>\n</file_info>\n<workunit>\n<file_ref>\n<open_name>${openName}</open_name>\n<copy_file/>\n</file_ref>\n</workunit>\n</input_template>\n`;

export const ONE_OUTPUT = `<output_template>
<file_info>
    <name><OUTFILE_0/></name>
    <generated_locally/>
    <upload_when_present/>
    <max_nbytes>1000000</max_nbytes>
    <url><UPLOAD_URL/></url>
</file_info>
<result>
    <file_ref>
        <file_name><OUTFILE_0/></file_name>
        <open_name>shared/results.tgz</open_name>
        <copy_file/>
    </file_ref>
</result>
</output_template>
`;

/** The two templates that most checks use: no inputs, one output. */
export async function plainTemplates(lab: Lab): Promise<string[]> {
	return ['--wu_template', await template(lab, 'in', noFiles()), '--result_template', await template(lab, 'out', ONE_OUTPUT)];
}

/** Runs `create_work` for the probe app and its batch; templates are the plain ones unless given. */
export async function createWork(lab: Lab, args: readonly string[], stdin?: string): Promise<Ran> {
	const app = await probeApp(lab);
	const plain = await plainTemplates(lab);
	const own = (option: string): boolean => args.includes(`--${option}`);
	return lab.tool(
		'create_work',
		[
			'--appname',
			app.name,
			'--batch',
			String(app.batchId),
			...(own('wu_template') ? [] : plain.slice(0, 2)),
			...(own('result_template') ? [] : plain.slice(2)),
			...args,
		],
		stdin === undefined ? {} : { stdin },
	);
}

export interface WorkunitRow {
	readonly id: number;
	readonly name: string;
	readonly batch: number;
	readonly xml_doc: Buffer;
	readonly priority: number;
	readonly min_quorum: number;
	readonly target_nresults: number;
	readonly max_error_results: number;
	readonly max_total_results: number;
	readonly max_success_results: number;
	readonly rsc_fpops_est: number;
	readonly rsc_fpops_bound: number;
	readonly rsc_memory_bound: number;
	readonly rsc_disk_bound: number;
	readonly delay_bound: number;
	readonly result_template_file: string;
	readonly app_version_num: number;
	readonly error_mask: number;
	readonly transition_time: number;
	readonly assimilate_state: number;
	readonly need_validate: number;
	readonly canonical_resultid: number;
}

export async function workunit(lab: Lab, name: string): Promise<WorkunitRow | undefined> {
	const rows = await lab.select<WorkunitRow>('SELECT * FROM workunit WHERE name = ?', name);
	return rows[0];
}

/** Waits until a job's row is as wanted. */
export const whenJob = (lab: Lab, job: string, what: string, is: (row: WorkunitRow) => boolean): Promise<WorkunitRow> =>
	lab.until(
		`${job}: ${what}`,
		async () => {
			const row = await workunit(lab, job);
			return row && is(row) && row;
		},
		30,
	);

/** Has a validator or an assimilator of the probe app look at all its jobs once. */
export async function onePass(lab: Lab, daemon: string): Promise<void> {
	const ran = await lab.run([lab.project.tool(daemon), '--app', lab.tag, '--one_pass'], { cwd: lab.hostFolder('tmp') });
	assert.equal(ran.code, 0, ran.stderr);
}

/** Names of the probe's jobs that begin with `prefix`, in order of creation. */
export async function jobNames(lab: Lab, prefix: string): Promise<string[]> {
	const rows = await lab.select<{ name: string }>(
		'SELECT name FROM workunit WHERE name LIKE ? ORDER BY id',
		`${prefix.replaceAll('_', '\\_')}%`,
	);
	return rows.map((row) => row.name);
}

/** Puts a job input into the hierarchy; the side file as told. */
export async function stageInput(
	lab: Lab,
	name: string,
	text: string,
	side: 'written' | 'none' | 'older' | 'wrong',
): Promise<void> {
	const path = lab.downloadPath(name);
	lab.defer(`input ${name}`, () => lab.sh('rm -f "$1" "$1.md5"; rmdir "$(dirname "$1")" 2>/dev/null; true', path));
	await lab.put(path, text);
	const md5 = createHash('md5').update(text).digest('hex');
	const line = `${side === 'wrong' ? '0'.repeat(32) : md5} ${Buffer.byteLength(text)}\n`;
	if (side !== 'none') {
		await lab.put(`${path}.md5`, line);
	}
	if (side === 'older') {
		await lab.sh('touch -d "2001-01-01" "$1.md5"', path);
	}
}

export const md5 = (text: string | Uint8Array): string => createHash('md5').update(text).digest('hex');
