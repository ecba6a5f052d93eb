import listScript from '../../templates/server/list-refills.sh';
import { BoincError } from '../common/errors.js';
import { run } from '../connection/run.js';
import { batchState, claimantIdle } from './batches.js';
import type { Project } from './project.js';

/** Where parts of this program are kept in a project. */
const folderOf = (project: Project): string => `${project.root}/.boinc2docker`;

/** Where the file of a batch that a server goes on with is, and what the program there says. */
export const refillFiles = (project: Project, batchId: number): { readonly spec: string; readonly log: string } => ({
	spec: `${folderOf(project)}/refill/${batchId}.jsonl`,
	log: `${folderOf(project)}/refill/${batchId}.log`,
});

/** The folder of a version of this program on the server. */
export const programFolder = (project: Project, version: string): string => `${folderOf(project)}/program/${version}`;

/** A version of this program on the server. */
export interface PlacedProgram {
	readonly version: string;
	readonly running: boolean;
	/** Placed or asked for within the last hour: a submission may be about to start it. */
	readonly young: boolean;
	readonly kilobytes: number;
}

/** The file of a batch that was handed over to the server. */
export interface Refill {
	readonly batch: number;
	readonly kilobytes: number;
	/**
	 * `running`: a program makes its jobs. `stopped`: jobs are missing, and none does. `over`: nothing needs the file, for the batch is
	 * complete, cancelled or gone.
	 */
	readonly state: 'running' | 'stopped' | 'over';
}

/** What `submit --on-server` has left in a project. Reads only. Rejects with `tool-failed`. */
export async function findRefills(
	project: Project,
	signal?: AbortSignal,
): Promise<{ readonly programs: readonly PlacedProgram[]; readonly refills: readonly Refill[] }> {
	const { stdout } = await run(project.connection, ['sh', '-c', listScript, 'sh', project.root], {
		cwd: project.root,
		doing: `look for what submit --on-server has left in ${project.root}`,
		...(signal && { signal }),
	});
	const lines = stdout.toString('utf8').split('\n');
	if (!lines.includes('end')) {
		throw new BoincError('tool-failed', `The list of handed over batches of ${project.name} is not complete.`, {
			remedy: 'Try again.',
		});
	}
	const programs: PlacedProgram[] = [];
	const refills: Refill[] = [];
	for (const line of lines) {
		const [kind, state, ...rest] = line.split(' ');
		const running = state === 'running';
		if (kind === 'program') {
			const [age, kilobytes, version = ''] = rest;
			programs.push({ version, running, young: age === 'young', kilobytes: Number(kilobytes) });
		} else if (kind === 'batch') {
			const [kilobytes, number] = rest;
			const batch = Number(number);
			refills.push({ batch, kilobytes: Number(kilobytes), state: await stateOf(project, batch, running) });
		}
	}
	return { programs, refills };
}

/** The lock of a batch tells of a program on another machine of the same project, too. */
async function stateOf(project: Project, batch: number, running: boolean): Promise<Refill['state']> {
	if (running) {
		return 'running';
	}
	if ((await batchState(project, batch)) !== 'preparing') {
		return 'over';
	}
	return (await claimantIdle(project, batch)) === undefined ? 'stopped' : 'running';
}

/**
 * Removes what nothing needs any more: versions of this program without a process, all but `keep`, and files of batches that are
 * over. Resolves to what was removed.
 */
export async function removeLeftRefills(project: Project, keep: string, signal?: AbortSignal): Promise<readonly string[]> {
	const { programs, refills } = await findRefills(project, signal);
	const paths = [
		...programs
			.filter(({ version, running, young }) => version !== keep && !running && !young)
			.map(({ version }) => programFolder(project, version)),
		...refills.filter(({ state }) => state === 'over').map(({ batch }) => refillFiles(project, batch).spec),
	];
	if (paths.length > 0) {
		await run(project.connection, ['rm', '-rf', ...paths], {
			cwd: project.root,
			doing: 'remove what earlier hand-overs have left',
			...(signal && { signal }),
		});
	}
	return paths;
}
