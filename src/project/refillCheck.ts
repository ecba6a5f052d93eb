import { formatBytes, plural } from '../common/format.js';
import type { Check } from './doctorChecks.js';
import { findRefills, refillFiles } from './refills.js';

/** Batches that `submit --on-server` has handed over to the server, and what it has left. */
export const checkRefills: Check = async (project, ctx) => {
	const { programs, refills } = await findRefills(project, ctx.signal);
	const idle = programs.filter(({ running }) => !running);
	const spare = idle.slice(programs.length > idle.length ? 0 : 1);
	const removal = 'The next submission with --on-server removes it; nothing else needs it.';
	return [
		...refills.map(({ batch, kilobytes, state }) => {
			const { spec, log } = refillFiles(project, batch);
			switch (state) {
				case 'running':
					return { level: 'ok', what: `The server makes the jobs of batch ${batch}.` } as const;
				case 'stopped':
					return {
						level: 'warning',
						what: `Jobs of batch ${batch} are missing, and the program on the server that made them has ended.`,
						remedy: `${log} tells its last words. The command that submitted the batch has it go on; boinc2docker cancel ${batch} ends the batch.`,
					} as const;
				case 'over':
					return {
						level: 'warning',
						what: `${spec} (${formatBytes(kilobytes * 1024)}) is left of batch ${batch}, which gets no more jobs.`,
						remedy: removal,
					} as const;
			}
		}),
		...(spare.length === 0
			? []
			: [
					{
						level: 'warning',
						what: `${plural(spare.length, 'former version')} of this program (${formatBytes(1024 * spare.reduce((sum, { kilobytes }) => sum + kilobytes, 0))}) ${spare.length === 1 ? 'is' : 'are'} in ${project.root}/.boinc2docker/program, and none of them runs.`,
						remedy: removal,
					} as const,
				]),
	];
};
