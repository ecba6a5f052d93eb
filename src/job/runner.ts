import script from '../../templates/runner.sh';

/** The program that runs in the container of every job, started by busybox as process 1. The app versions carry it. */
export const runnerScript: string = script;
