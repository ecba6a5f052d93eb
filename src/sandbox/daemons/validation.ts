import { type Database, numberOf, type Row, textOf } from '../database.js';
import { appIdOf, type DaemonContext, type DaemonKind, nowSeconds } from './daemon.js';
import type { OptionSpec } from './daemonOptions.js';
import { ASSIMILATE_STATE, ERROR_MASK, OUTCOME, SERVER_STATE, VALIDATE_STATE } from './states.js';
import { type UploadedFile, uploadedFiles } from './uploads.js';

/** A finished instance that a validator looks at. */
export interface Candidate {
	readonly id: number;
	readonly name: string;
	readonly hostId: number;
	readonly userId: number;
	readonly elapsedTime: number;
	readonly validateState: number;
	readonly files: readonly UploadedFile[];
}

export type Verdict = 'good' | 'bad' | 'later';

/** What makes one validator different from another. */
export interface Judge {
	/** Looks at one instance alone. */
	check(context: DaemonContext, candidate: Candidate): Promise<Verdict>;
	/** Whether two instances agree. */
	agree(context: DaemonContext, first: Candidate, second: Candidate): Promise<boolean>;
}

const OPTIONS: OptionSpec = {
	app: 1,
	one_pass_N_WU: 1,
	wu_id: 1,
	min_wu_id: 1,
	max_wu_id: 1,
	dry_run: 0,
	credit_from_wu: 0,
	credit_from_runtime: 1,
	post_assigned_credit: 0,
	no_credit: 0,
	max_granted_credit: 1,
	update_credited_job: 0,
	check_punitive: 0,
};
const USAGE = `usage: validator [options]
  --app X             app name
  --one_pass_N_WU N   validate at most N WUs, then exit
  --one_pass          make one pass through WU table, then exit
  --dry_run           don't update db, just print debug output
  --mod n i           process only WUs with (id mod n) == i
  --sleep_interval n  sleep n seconds if nothing to do
  -d level            debug level`;
const SIX_HOURS = 6 * 3600;

/** A validator's program around its judge. `extra` are options of its own. */
export function validatorKind(extra: OptionSpec, judgeOf: (context: DaemonContext) => Judge): DaemonKind {
	return {
		usage: USAGE,
		options: { ...OPTIONS, ...extra },
		unknown: 'ignore',
		interval: 5,
		defaultVerbosity: 3,
		greeting: ['max_granted_credit: 73000000.000000', 'Starting validator, debug level 3'],
		prepare: async (context) => {
			await appIdOf(context, "can't find app ");
			judgeOf(context);
		},
		pass: async (context) => {
			const { options, database } = context;
			const mod = options.mod('id');
			const limit = options.number('one_pass_N_WU') ?? 1000;
			const rows = await database.select(
				`SELECT id, name, canonical_resultid, canonical_credit, min_quorum, target_nresults, max_success_results FROM workunit
					WHERE appid = ? AND need_validate = 1 AND ${mod.sql} AND id >= ? AND id <= ? ORDER BY id LIMIT ?`,
				[
					await appIdOf(context, "can't find app "),
					...mod.parameters,
					options.number('wu_id') ?? options.number('min_wu_id') ?? 0,
					options.number('wu_id') ?? options.number('max_wu_id') ?? Number.MAX_SAFE_INTEGER,
					limit,
				],
			);
			for (const row of rows) {
				if (context.stopping()) {
					break;
				}
				await validate(context, judgeOf(context), row);
			}
			return rows.length > 0 && !options.has('dry_run');
		},
	};
}

async function validate(context: DaemonContext, judge: Judge, job: Row): Promise<void> {
	const { database } = context;
	const id = numberOf(job, 'id');
	const candidates = await readCandidates(context, id);
	const canonical = candidates.find((candidate) => candidate.id === numberOf(job, 'canonical_resultid'));
	const fresh = candidates.filter(
		({ validateState }) => validateState === VALIDATE_STATE.init || (!canonical && validateState !== VALIDATE_STATE.invalid),
	);
	const outcome: Judged = { good: [], bad: [], later: false };
	for (const candidate of fresh) {
		const verdict = await judge.check(context, candidate);
		if (verdict === 'later') {
			outcome.later = true;
		} else {
			outcome[verdict].push(candidate);
		}
	}
	if (context.options.has('dry_run')) {
		context.log('normal', `[WU#${id} ${textOf(job, 'name')}] ${outcome.good.length} good, ${outcome.bad.length} bad; dry run`);
		return;
	}
	for (const candidate of outcome.bad) {
		await setResult(database, candidate.id, VALIDATE_STATE.invalid, OUTCOME.validateError);
		context.log('normal', `[RESULT#${candidate.id} ${candidate.name}] Validate error [HOST#${candidate.hostId}]`);
	}
	if (canonical) {
		for (const candidate of outcome.good) {
			await settle(context, job, candidate, await judge.agree(context, canonical, candidate));
		}
	} else {
		await chooseCanonical(context, judge, job, outcome.good);
	}
	await database.execute('UPDATE workunit SET need_validate = 0, transition_time = ? WHERE id = ?', [
		nowSeconds() + (outcome.later ? SIX_HOURS : 0),
		id,
	]);
}

interface Judged {
	readonly good: Candidate[];
	readonly bad: Candidate[];
	later: boolean;
}

async function readCandidates(context: DaemonContext, workunitId: number): Promise<Candidate[]> {
	const rows = await context.database.select(
		`SELECT id, name, hostid, userid, elapsed_time, validate_state, xml_doc_in FROM result
			WHERE workunitid = ? AND server_state = ? AND outcome = ? ORDER BY id`,
		[workunitId, SERVER_STATE.over, OUTCOME.success],
	);
	return rows.map((row) => ({
		id: numberOf(row, 'id'),
		name: textOf(row, 'name'),
		hostId: numberOf(row, 'hostid'),
		userId: numberOf(row, 'userid'),
		elapsedTime: numberOf(row, 'elapsed_time'),
		validateState: numberOf(row, 'validate_state'),
		files: uploadedFiles(context.settings, textOf(row, 'xml_doc_in')),
	}));
}

/** With m good instances, at least half the quorum and one more must agree. */
async function chooseCanonical(context: DaemonContext, judge: Judge, job: Row, good: readonly Candidate[]): Promise<void> {
	const { database } = context;
	const id = numberOf(job, 'id');
	const quorum = numberOf(job, 'min_quorum');
	context.log('normal', `[WU#${id} ${textOf(job, 'name')}] handle_wu(): No canonical result yet`);
	if (good.length < quorum) {
		return;
	}
	for (const first of good) {
		const agreeing: Candidate[] = [];
		for (const second of good) {
			if (first === second || (await judge.agree(context, first, second))) {
				agreeing.push(second);
			}
		}
		if (agreeing.length >= Math.floor(quorum / 2) + 1) {
			for (const candidate of good) {
				await settle(context, job, candidate, agreeing.includes(candidate));
			}
			await database.execute(
				'UPDATE workunit SET canonical_resultid = ?, canonical_credit = ?, assimilate_state = ? WHERE id = ?',
				[first.id, await creditOf(context, job, first), ASSIMILATE_STATE.ready, id],
			);
			await database.execute('UPDATE result SET server_state = ?, outcome = ? WHERE workunitid = ? AND server_state = ?', [
				SERVER_STATE.over,
				OUTCOME.didntNeed,
				id,
				SERVER_STATE.unsent,
			]);
			return;
		}
	}
	await inconclusive(context, job, good);
}

async function inconclusive(context: DaemonContext, job: Row, good: readonly Candidate[]): Promise<void> {
	const { database } = context;
	for (const candidate of good) {
		if (candidate.validateState === VALIDATE_STATE.init) {
			context.log('normal', `[RESULT#${candidate.id} ${candidate.name}] Inconclusive [HOST#${candidate.hostId}]`);
		}
		await setResult(database, candidate.id, VALIDATE_STATE.inconclusive, OUTCOME.success);
	}
	const tooMany = good.length > numberOf(job, 'max_success_results') ? ERROR_MASK.tooManySuccesses : 0;
	await database.execute(
		'UPDATE workunit SET error_mask = error_mask | ?, target_nresults = GREATEST(target_nresults, ?) WHERE id = ?',
		[tooMany, good.length + 1, numberOf(job, 'id')],
	);
}

async function settle(context: DaemonContext, job: Row, candidate: Candidate, valid: boolean): Promise<void> {
	const { database } = context;
	await setResult(database, candidate.id, valid ? VALIDATE_STATE.valid : VALIDATE_STATE.invalid, OUTCOME.success);
	if (!valid) {
		context.log('normal', `[RESULT#${candidate.id} ${candidate.name}] Invalid [HOST#${candidate.hostId}]`);
		return;
	}
	const credit = await creditOf(context, job, candidate);
	await database.execute('UPDATE result SET granted_credit = ? WHERE id = ?', [credit, candidate.id]);
	for (const [table, id] of [
		['host', candidate.hostId],
		['user', candidate.userId],
	] as const) {
		await database.execute(`UPDATE ${table} SET total_credit = total_credit + ? WHERE id = ?`, [credit, id]);
	}
	context.log(
		'normal',
		`[RESULT#${candidate.id} ${candidate.name}] Valid; granted ${credit.toFixed(6)} credit [HOST#${candidate.hostId}]`,
	);
}

/** 200 credits are a day of a processor with 10⁹ operations a second. */
async function creditOf(context: DaemonContext, job: Row, candidate: Candidate): Promise<number> {
	if (context.options.has('no_credit')) {
		return 0;
	}
	if (context.options.has('credit_from_wu')) {
		return numberOf(job, 'canonical_credit');
	}
	const [host] = await context.database.select('SELECT p_fpops FROM host WHERE id = ?', [candidate.hostId]);
	const measured = host ? numberOf(host, 'p_fpops') : 0;
	const speed = measured > 0 ? measured : 1e9;
	const most = context.options.number('max_granted_credit') ?? 200 * 1000 * 365;
	return Math.min(most, (candidate.elapsedTime * speed * 200) / 86_400e9);
}

async function setResult(database: Database, id: number, validateState: number, outcome: number): Promise<void> {
	await database.execute('UPDATE result SET validate_state = ?, outcome = ? WHERE id = ?', [validateState, outcome, id]);
}
