import { BoincError } from '../common/errors.js';

/** What is wrong with a batch or a job, before anything was sent. */
export function invalidJob(message: string, remedy: string): BoincError {
	return new BoincError('job-invalid', message, { remedy });
}
