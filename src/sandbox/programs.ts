import { batchCollectAssimilator } from './daemons/batchCollectAssimilator.js';
import { bitwiseValidator } from './daemons/bitwiseValidator.js';
import { dbPurge } from './daemons/dbPurge.js';
import { dummyAssimilator } from './daemons/dummyAssimilator.js';
import { feeder } from './daemons/feeder.js';
import { fileDeleter } from './daemons/fileDeleter.js';
import { scriptAssimilator } from './daemons/scriptAssimilator.js';
import { scriptValidator } from './daemons/scriptValidator.js';
import { transitioner } from './daemons/transitioner.js';
import { trivialValidator } from './daemons/trivialValidator.js';
import type { Tool } from './toolIo.js';
import { cancelJobs } from './tools/cancelJobs.js';
import { createWork } from './tools/createWork.js';
import { cryptProg } from './tools/cryptProg.js';
import { dirHierMove } from './tools/dirHierMove.js';
import { dirHierPath } from './tools/dirHierPath.js';
import { queryJob } from './tools/queryJob.js';
import { signExecutable } from './tools/signExecutable.js';
import { stageFileNative } from './tools/stageFileNative.js';
import { startStop } from './tools/startStop.js';
import { updateVersions } from './tools/updateVersions.js';
import { xadd } from './tools/xadd.js';

/** The programs of `bin/` that are called and end. */
export const TOOLS: Readonly<Record<string, Tool>> = {
	cancel_jobs: cancelJobs,
	create_work: createWork,
	crypt_prog: cryptProg,
	dir_hier_move: dirHierMove,
	dir_hier_path: dirHierPath,
	query_job: queryJob,
	sign_executable: signExecutable,
	stage_file_native: stageFileNative,
	start: startStop('start'),
	status: startStop('status'),
	stop: startStop('stop'),
	update_versions: updateVersions,
	xadd,
};

/** The programs of `bin/` that run until they are stopped. */
export const DAEMONS: Readonly<Record<string, Tool>> = {
	batch_collect_assimilator: batchCollectAssimilator,
	db_purge: dbPurge,
	feeder,
	file_deleter: fileDeleter,
	sample_bitwise_validator: bitwiseValidator,
	sample_dummy_assimilator: dummyAssimilator,
	sample_trivial_validator: trivialValidator,
	script_assimilator: scriptAssimilator,
	script_validator: scriptValidator,
	transitioner,
};
