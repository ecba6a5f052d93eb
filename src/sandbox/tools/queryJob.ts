import { numberOf, type Row, textOf } from '../database.js';
import type { Tool } from '../toolIo.js';
import { toolProject, withDatabase } from '../toolProject.js';

/** `query_job NAME|BATCH`: the state of a job in words. */
export const queryJob: Tool = async (args, io) => {
	io.out('\n');
	const [name] = args;
	if (name === undefined) {
		io.out('usage: demo_query jobname|batchid\n');
		return 0;
	}
	const settings = toolProject(io);
	return withDatabase('query_job', settings, async (database) => {
		const jobs = await database.select(
			'SELECT name, error_mask, canonical_resultid, assimilate_state FROM workunit WHERE name = ? OR (batch > 0 AND batch = ?)',
			[name, Number.parseInt(name, 10) || 0],
		);
		if (jobs.length === 0) {
			io.out('no such job: \n');
		}
		for (const job of jobs) {
			io.out(`${jobs.length > 1 ? `${textOf(job, 'name')}: ` : ''}${stateOf(job)}\n`);
		}
		return 0;
	});
};

function stateOf(job: Row): string {
	const mask = numberOf(job, 'error_mask');
	if (mask !== 0) {
		return `Job failed:  ${mask & 16 ? 'WU cancelled' : `error mask ${mask}`}`;
	}
	return numberOf(job, 'canonical_resultid') > 0 && numberOf(job, 'assimilate_state') === 2
		? 'Job is completed.'
		: 'Job is in progress.';
}
