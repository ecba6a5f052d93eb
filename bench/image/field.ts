import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { quietContext } from '../../src/common/ports.js';
import type { Connection } from '../../src/connection/connection.js';
import { type Engine, findEngine } from '../../src/image/engine.js';
import type { Shipment } from '../../src/job/shipImage.js';
import { Project } from '../../src/project/project.js';
import { type Sshd, startSshd } from '../../src/sandbox/sshd.js';
import { startTestEngine, type TestEngine } from '../../test/support/engines.js';
import { connectLoopback } from '../../test/support/loopback.js';
import { startRegistry } from '../../test/support/registry.mjs';
import { Counter } from './counter.js';

const runProgram = promisify(execFile);

/** Everything that the opponents use. */
export interface Field {
	readonly dir: string;
	readonly docker: TestEngine;
	readonly engine: Engine;
	readonly project: Project;
	readonly sshd: Sshd;
	readonly ssh: Counter;
	readonly registry: Counter;
	readonly sshOptions: readonly string[];
	/** Layers that the original's server has. */
	readonly sentLayers: Set<string>;
	shipment: Shipment | undefined;
}

/** Starts the servers, with connections that are open. `undo` gets what is to be done at the end, in turned order. */
export async function openField(dir: string, undo: (() => Promise<unknown>)[]): Promise<Field> {
	const docker = await startTestEngine('docker');
	undo.push(() => docker.remove());
	const sshd = await startSshd({ dir: path.join(dir, 'sshd'), config: [`SetEnv HOME=${dir}`] });
	undo.push(() => sshd.stop());
	const ssh = await Counter.before(sshd.port);
	undo.push(() => ssh.worker.terminate());
	const registry = await countedRegistry(dir, undo);
	const connection = await connectLoopback(sshd, ssh.port, path.join(dir, 'trust'));
	undo.push(() => connection.close());
	const control = path.join(dir, 'control');
	const sshOptions = [
		...['-F', 'none', '-i', sshd.userKeyFile, '-o', `ControlPath=${control}`, '-o', 'BatchMode=yes'],
		...['-o', 'StrictHostKeyChecking=no', '-o', `UserKnownHostsFile=${path.join(dir, 'known')}`],
	];
	const master = ['-o', 'ControlMaster=yes', '-o', 'ControlPersist=yes', '-fN'];
	await runProgram('ssh', [...sshOptions, ...master, '-l', sshd.user, '-p', String(ssh.port), '127.0.0.1']);
	undo.push(() => runProgram('ssh', [...sshOptions, '-O', 'exit', '127.0.0.1']).catch(() => undefined));
	return {
		dir,
		docker,
		engine: await findEngine(quietContext(), { command: docker.command, env: docker.env }),
		project: await emptyProject(connection, dir),
		sshd,
		ssh,
		registry,
		sshOptions,
		sentLayers: new Set(),
		shipment: undefined,
	};
}

async function countedRegistry(dir: string, undo: (() => Promise<unknown>)[]): Promise<Counter> {
	const registry = await startRegistry(path.join(dir, 'registry'));
	undo.push(() => registry.stop());
	const counter = await Counter.before(registry.port);
	undo.push(() => counter.worker.terminate());
	return counter;
}

/** As much of a project as packs need: a download directory. */
export async function emptyProject(connection: Connection, dir: string): Promise<Project> {
	const root = path.join(dir, 'project');
	await mkdir(path.join(root, 'download'), { recursive: true });
	return new Project(connection, root, {
		longName: 'bench',
		masterUrl: 'http://127.0.0.1/bench/',
		host: '',
		database: { host: '', name: '', user: '', password: '' },
		downloadDir: path.join(root, 'download'),
		downloadUrl: 'http://127.0.0.1/bench/download',
		uploadDir: path.join(root, 'upload'),
		uploadUrl: '',
		keyDir: '',
		appDir: '',
		logDir: '',
		uldlDirFanout: 1024,
		sendResultAbort: true,
		daemons: [],
	});
}
