import type { CheckGroup } from '../checks.js';
import type { Lab } from '../lab.js';
import { cancelProbeJobs } from '../probe.js';
import { appVersionChecks } from './appVersions.js';
import { assimilatorChecks } from './assimilator.js';
import { bulkChecks } from './bulk.js';
import { cancelChecks } from './cancel.js';
import { createWorkChecks } from './createWork.js';
import { gpuChecks } from './gpus.js';
import { hierarchyChecks } from './hierarchy.js';
import { layoutChecks } from './layout.js';
import { machineChecks } from './machines.js';
import { reportChecks } from './reports.js';
import { retryChecks } from './retry.js';
import { schedulerChecks } from './scheduler.js';
import { tableChecks } from './tables.js';
import { uploadChecks } from './uploads.js';
import { withdrawnChecks } from './withdrawn.js';

/** What our code relies on, in an order in which each finds what it needs. */
export const assumptions: readonly CheckGroup<Lab>[] = [
	{ title: 'The project folder', checks: layoutChecks },
	{ title: 'The database', checks: tableChecks, afterEach: cancelProbeJobs },
	{ title: 'Job inputs and their hash directories', checks: hierarchyChecks, afterEach: cancelProbeJobs },
	{ title: 'bin/create_work', checks: createWorkChecks, afterEach: cancelProbeJobs },
	{ title: 'bin/create_work --stdin', checks: bulkChecks, afterEach: cancelProbeJobs },
	{ title: 'bin/cancel_jobs', checks: cancelChecks, afterEach: cancelProbeJobs },
	{ title: 'App versions and signatures', checks: appVersionChecks },
	{ title: 'The scheduler, as a client meets it', checks: schedulerChecks },
	{ title: 'Versions for VirtualBox', checks: machineChecks, afterEach: cancelProbeJobs },
	{ title: 'Versions with a GPU', checks: gpuChecks, afterEach: cancelProbeJobs },
	{ title: 'The upload handler, as a client meets it', checks: uploadChecks },
	{ title: 'Reports of a client', checks: reportChecks },
	{ title: 'Validator and assimilator', checks: assimilatorChecks },
	{ title: 'Failed jobs, tried again', checks: retryChecks, afterEach: cancelProbeJobs },
	{ title: 'Apps and versions that are switched off', checks: withdrawnChecks },
];
