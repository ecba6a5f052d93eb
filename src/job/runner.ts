import script from '../../templates/runner.sh';

/** The program that runs in the container of every job, started by busybox as process 1. The app versions carry it. */
export const runnerScript: string = script;

/** Exit codes that the runner gives a job, besides those of the program. BOINC uses the numbers with the same meanings. */
export const RUNNER_EXIT = {
	/** The result is bigger than allowed, or the disk is full. */
	disk: 196,
	/** The program ran longer than allowed. */
	time: 197,
	/** The program used more memory than allowed. */
	memory: 205,
	/** The job could not be set up: no parameters, unknown user, missing working directory. */
	setup: 206,
} as const;
