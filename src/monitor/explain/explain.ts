import type { Project } from '../../project/project.js';
import type { Explanation, Subject } from './explanation.js';
import { explainFailure } from './failures.js';
import { explainWaiting } from './waiting.js';

/** Both questions about a subject. */
export interface Explained {
	/** *Why is this not running?* */
	readonly waiting: readonly Explanation[];
	/** *Why did it fail?* */
	readonly failure: readonly Explanation[];
}

/** Answers both questions about a batch, a job or an instance. Reads only. Rejects with `batch-missing` or `result-missing`. */
export async function explain(project: Project, subject: Subject, signal?: AbortSignal): Promise<Explained> {
	const waiting = await explainWaiting(project, subject, signal);
	return { waiting, failure: await explainFailure(await project.database(), subject) };
}
