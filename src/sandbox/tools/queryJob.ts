import { numberOf, textOf } from '../database.js';
import type { Tool } from '../toolIo.js';
import { toolProject, withDatabase } from '../toolProject.js';

/** `query_job NAME`: the state of a job in words. */
export const queryJob: Tool = async (args, io) => {
	io.out('\n');
	const [name] = args;
	if (name === undefined) {
		io.out('usage: query_job jobname\n');
		return 1;
	}
	const settings = toolProject(io);
	return withDatabase('query_job', settings, async (database) => {
		const [job] = await database.select(
			'SELECT id, name, batch, error_mask, canonical_resultid, assimilate_state FROM workunit WHERE name = ?',
			[name],
		);
		if (!job) {
			io.out(`no job ${name}\n`);
		} else if (numberOf(job, 'error_mask') !== 0) {
			io.out(
				`Job failed: ${numberOf(job, 'error_mask') & 16 ? ' WU cancelled' : ` error mask ${numberOf(job, 'error_mask')}`}\n`,
			);
		} else if (numberOf(job, 'canonical_resultid') > 0) {
			io.out(`Job ${textOf(job, 'name')} succeeded\n`);
		} else {
			io.out(`Job ${textOf(job, 'name')} in progress\n`);
		}
		return 0;
	});
};
