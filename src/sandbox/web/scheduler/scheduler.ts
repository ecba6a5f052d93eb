import { readFile } from 'node:fs/promises';
import path from 'node:path';

import type { Database } from '../../database.js';
import { isTriggered, type ServerConfig } from '../serverConfig.js';
import type { WebLog } from '../webLog.js';
import { abortUselessTasks } from './abort.js';
import { readCatalog } from './catalog.js';
import { findAccount, findHost, updateHost } from './hosts.js';
import { resendLostWork } from './lostWork.js';
import { readPlanClassSpecs } from './planClassSpec.js';
import { startDay } from './quota.js';
import { downReply, Reply } from './reply.js';
import { handleReports } from './reports.js';
import { parseRequest, type SchedulerRequest } from './request.js';
import { sendWork } from './send.js';
import { Budget, type Session } from './session.js';

export interface SchedulerServices {
	readonly config: ServerConfig;
	readonly log: WebLog;
	/** Opens a connection for one request. */
	openDatabase(): Promise<Database>;
	feederRunning(): boolean;
	/** Seconds since the epoch. */
	now(): number;
}

const HOUR = 3600;
/** Client release that reads `dont_use_dcf`. */
const KNOWS_DONT_USE_DCF = 70_028;
const DAY = 24 * HOUR;

/** Answers one scheduler request: the text of a reply, whatever happens. */
export async function handleSchedulerRequest(body: string, address: string, services: SchedulerServices): Promise<string> {
	const { config, log } = services;
	if (await isTriggered(config.projectRoot, 'stop_sched')) {
		return downReply('Project is temporarily shut down for maintenance', config.maintenanceDelay);
	}
	if (!services.feederRunning()) {
		log.scheduler("Can't attach shmem (feeder not running?)");
		return downReply("Server error: can't attach shared memory", config.maintenanceDelay);
	}
	const request = parseRequest(body);
	if (!request) {
		return downReply('Incomplete request received.', HOUR);
	}
	let database: Database;
	try {
		database = await services.openDatabase();
	} catch {
		log.scheduler("can't open database");
		return downReply("Server can't open database", config.maintenanceDelay);
	}
	try {
		const reply = new Reply(config);
		reply.dontUseDcf = request.clientVersion >= KNOWS_DONT_USE_DCF;
		await answer(request, address, reply, database, services);
		return reply.toXml();
	} finally {
		await database.end();
	}
}

async function answer(
	request: SchedulerRequest,
	address: string,
	reply: Reply,
	database: Database,
	services: SchedulerServices,
): Promise<void> {
	const { config, log } = services;
	const now = services.now();
	const account = await findAccount(database, request.authenticator);
	if (!account) {
		reply.message('Invalid or missing account key.  To fix, remove and add this project.', 'notice');
		reply.delayAtLeast(HOUR);
		return;
	}
	const host = await findHost(database, account, request, now);
	reply.user = account;
	reply.newHostId = host.isNew ? host.id : undefined;
	await startDay(database, host.id, host.lastRpcTime, now);
	await updateHost(database, host, request, { now, address, assumeDocker: config.assumeDocker });
	const ncpus = Math.max(1, Math.min(config.maxNcpus, Math.floor(request.host.ncpus * request.cpuFraction)));
	reply.acks.push(...(await handleReports({ database, config, account, host, ncpus, now, log }, request.reports)));
	if (asksForWork(request)) {
		await offerKey(request, reply, config);
	}

	const catalog = await readCatalog(database);
	const platformIds = request.platforms.flatMap((name) => catalog.platforms.get(name) ?? []);
	if (refuseClient(request, reply, config, platformIds)) {
		return;
	}
	const session: Session = {
		database,
		config,
		log,
		request,
		reply,
		account,
		host,
		catalog,
		platformIds,
		planClasses: await readPlanClassSpecs(config.projectRoot),
		capacity: {
			request,
			userId: account.id,
			ncpus,
			usableRam: request.host.ramBytes * request.ramFraction,
			assumeDocker: config.assumeDocker,
		},
		now,
	};
	if (config.sendResultAbort) {
		await abortUselessTasks(session);
	}
	await work(session);
	log.scheduler(
		`Request: [USER#${account.id}] [HOST#${host.id}] client ${request.clientVersionText}, ${request.reports.length} results, work req ${request.workReqSeconds} sec; sending ${reply.results.length}`,
	);
}

/** Lost and new jobs, if the client wants any and the project may send now. */
async function work(session: Session): Promise<void> {
	const { request, config, reply, host, now } = session;
	const budget = new Budget(session, request.otherResults?.length ?? 0);
	if (config.resendLostResults && request.otherResults && !host.isNew) {
		await resendLostWork(session, budget, request.otherResults);
	}
	if (!asksForWork(request) || request.dontSendWork || config.dontSendJobs || host.maxResultsDay === -1) {
		return;
	}
	const wait = config.minSendworkInterval - (now - host.lastRpcTime);
	if (wait > 0) {
		reply.message(`Not sending work. Last request too recent. Please wait ${Math.floor(wait)} seconds.`);
		reply.delayAtLeast(1.01 * config.minSendworkInterval);
		return;
	}
	await sendWork(session, budget);
}

const asksForWork = (request: SchedulerRequest): boolean =>
	request.workReqSeconds > 0 ||
	request.cpuReqSeconds > 0 ||
	request.cpuReqInstances > 0 ||
	request.gpus.some(({ reqSeconds, reqInstances }) => reqSeconds > 0 || reqInstances > 0);

/** Says why a client gets nothing at all from this project; true when it is so. */
function refuseClient(request: SchedulerRequest, reply: Reply, config: ServerConfig, platformIds: readonly number[]): boolean {
	if (platformIds.length === 0) {
		reply.message(`This project doesn't support computers of type ${request.platforms[0] ?? ''}`, 'notice');
		reply.delayAtLeast(DAY);
		return true;
	}
	if (request.clientVersion < config.minCoreClientVersion) {
		reply.message(`Your BOINC client software is too old.  Please install the current version.`, 'notice');
		reply.delayAtLeast(DAY);
		return true;
	}
	return false;
}

/** A client without a key gets ours; one with another key is told, because it will not accept ours without proof. */
async function offerKey(request: SchedulerRequest, reply: Reply, config: ServerConfig): Promise<void> {
	const key = (await readFile(path.join(config.keyDir, 'code_sign_public'), 'utf8').catch(() => '')).trim();
	const normal = (text: string): string => text.replace(/\s+/g, '');
	if (key === '') {
		return;
	}
	if (request.codeSignKey === '') {
		reply.codeSignKey = key;
	} else if (normal(request.codeSignKey) !== normal(key)) {
		reply.message('The project has changed its security key.  Please remove and add this project.', 'notice');
	}
}
