import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A real `dockerd` that listens where it is told, so that it can be stopped and started again in the middle of something. Needs root. */
export class DockerDaemon {
	#dir;
	#child;

	/** Its images and state are in `dir`. A driver that mounts nothing: what is left when it is killed is files. */
	constructor(dir, socket) {
		this.#dir = dir;
		this.socket = socket;
	}

	/** Starts it; again when its containerd is not up in time, which it gives up on a busy computer. */
	async start() {
		for (let left = 2; ; left--) {
			try {
				return await this.#startOnce();
			} catch (error) {
				if (left === 0 || !/waiting for containerd to start/.test(error.message)) {
					throw error;
				}
			}
		}
	}

	async #startOnce() {
		const file = (name) => path.join(this.#dir, name);
		fs.mkdirSync(this.#dir, { recursive: true });
		fs.mkdirSync(path.dirname(this.socket), { recursive: true });
		fs.rmSync(this.socket, { force: true });
		fs.rmSync(file('pid'), { force: true });
		fs.writeFileSync(file('daemon.json'), '{}\n');
		const log = fs.openSync(file('log'), 'a');
		const name = `b2d-${path.basename(path.dirname(this.#dir)).replaceAll(/[^A-Za-z0-9]/g, '')}`;
		this.#child = spawn(
			'dockerd',
			[
				`--config-file=${file('daemon.json')}`,
				`--host=unix://${this.socket}`,
				`--data-root=${file('data')}`,
				`--exec-root=${file('exec')}`,
				`--pidfile=${file('pid')}`,
				'--storage-driver=vfs',
				`--containerd-namespace=${name}`,
				`--containerd-plugins-namespace=${name}-plugins`,
				'--bridge=none',
				'--iptables=false',
				'--ip6tables=false',
			],
			{ stdio: ['ignore', log, log], env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` } },
		);
		fs.closeSync(log);
		while (!(await this.#answers())) {
			if (this.#child.exitCode !== null) {
				throw new Error(`dockerd ended\n${fs.readFileSync(file('log'), 'utf8').slice(-2000)}`);
			}
			await sleep(50);
		}
	}

	/** Ends it by a signal, and waits until it is gone. */
	async end(signal = 'SIGTERM') {
		if (this.#child && this.#child.exitCode === null && this.#child.signalCode === null) {
			const gone = once(this.#child, 'exit');
			this.#child.kill(signal);
			await gone;
		}
	}

	/** Ends it, and unmounts what a killed one has left. */
	async remove() {
		await this.end();
		const points = fs
			.readFileSync('/proc/self/mountinfo', 'utf8')
			.split('\n')
			.map((line) => line.split(' ')[4] ?? '')
			.filter((point) => point.startsWith(`${this.#dir}/`));
		for (const point of points.toReversed()) {
			await once(spawn('umount', ['--lazy', point], { stdio: 'ignore' }), 'close');
		}
		fs.rmSync(this.#dir, { recursive: true, force: true, maxRetries: 5 });
	}

	async #answers() {
		const child = spawn('docker', ['--host', `unix://${this.socket}`, 'version'], { stdio: 'ignore' });
		const [code] = await once(child, 'close');
		return code === 0;
	}
}
