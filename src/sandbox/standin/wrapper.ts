import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ClientChannel } from './clientChannel.js';
import {
	buildCommand,
	type CommandParts,
	containerState,
	createCommand,
	jobState,
	listsImage,
	parseStats,
	stateCommand,
} from './commands.js';
import { type EngineProgram, mentions, say } from './engineProgram.js';
import { Finish } from './task.js';

const POLL_MS = 1000;
/** Every so many polls the container's state and use of resources are asked for: 10 in the real program. */
const STATUS_POLLS = Math.max(1, Number.parseInt(process.env.BOINC_SANDBOX_STATUS_SECONDS ?? '', 10) || 10);

/** The life of one container job, step by step as docker_wrapper goes through it. */
export class Wrapper {
	#running = true;
	cpuTime: number;
	/** Set by a signal: pause the container and end. */
	pauseAndExit = false;

	constructor(
		readonly parts: CommandParts,
		readonly engine: EngineProgram,
		readonly channel: ClientChannel,
		cpuTime: number,
	) {
		this.cpuTime = cpuTime;
	}

	/** Finds or makes the container and starts it. Throws `Finish` on failure. */
	async start(): Promise<void> {
		const { container } = this.parts;
		const answer = await this.engine.quiet(stateCommand(container));
		if (!answer.ok) {
			say('get_container_state() failed\n');
			throw new Finish(1, true);
		}
		const state = containerState(answer.lines, container);
		say(`container state: ${state}\n`);
		switch (state) {
			case 'absent':
				say(`creating container ${container}\n`);
				await this.#create();
				return this.#startContainer();
			case 'created':
				return this.#startContainer();
			case 'running':
				say('container is already running\n');
				return;
			case 'paused':
				say('container is paused; unpausing\n');
				if (await this.#operate('unpause')) {
					return;
				}
				say('unpause failed; killing\n');
				if (!(await this.#operate('kill'))) {
					say('kill also failed - quitting\n');
					return this.#failed();
				}
				return this.#startContainer();
			case 'exited':
				say('container is exited; restarting\n');
				return this.#startContainer();
			case 'other':
				say('container is in other state; restarting\n');
				await this.#operate('kill');
				return this.#startContainer();
		}
	}

	/** Watches the container until it ends, which throws `Finish` with its exit code. */
	async watch(): Promise<never> {
		for (let poll = 0; ; poll++) {
			await sleep(POLL_MS);
			if (this.pauseAndExit) {
				if (this.#running) {
					await this.#operate('pause');
				}
				throw new Finish(0, false);
			}
			await this.#obeyClient();
			if (poll % STATUS_POLLS === 0) {
				await this.#checkContainer();
			}
		}
	}

	async #obeyClient(): Promise<void> {
		const { status } = this.channel;
		if (status.noHeartbeat || status.quit) {
			say(
				status.noHeartbeat
					? 'no heartbeat from client - pausing and exiting\n'
					: 'got quit request from client - pausing container\n',
			);
			if (this.#running) {
				await this.#operate('pause');
			}
			throw new Finish(0, false);
		}
		if (status.abort) {
			say('got abort request from client\n');
			await this.#operate('kill');
			await this.#cleanUp();
			throw new Finish(0, false);
		}
		if (status.suspended === this.#running) {
			if (!(await this.#operate(status.suspended ? 'pause' : 'unpause'))) {
				say('poll_client_msgs() returned -1\n');
				// The client starts the wrapper again, which may repair things.
				throw new Finish(0, false);
			}
			this.#running = !status.suspended;
		}
	}

	async #checkContainer(): Promise<void> {
		const { container } = this.parts;
		const answer = await this.engine.quiet(`ps --all -f "name=${container}"`);
		const state = answer.ok ? jobState(answer.lines, container) : ({ kind: 'gone' } as const);
		if (state.kind === 'gone') {
			await this.#operate('kill');
			return this.#failed();
		}
		if (state.kind === 'exited') {
			await this.#cleanUp();
			throw new Finish(state.code, true);
		}
		if (this.#running) {
			await this.#reportUse();
		}
	}

	async #reportUse(): Promise<void> {
		const answer = await this.engine.quiet(`stats --no-stream  --format "{{.CPUPerc}} {{.MemUsage}}" ${this.parts.container}`);
		const stats = answer.ok ? parseStats(answer.lines) : undefined;
		const use = stats && stats.cpu <= this.parts.ncpus ? stats : { cpu: this.parts.ncpus, memory: 1e8 };
		this.cpuTime += STATUS_POLLS * use.cpu;
		this.channel.report({ cpuTime: this.cpuTime, fractionDone: readFractionDone(), memory: use.memory, wantNetwork: false });
	}

	async #create(): Promise<void> {
		await this.#provideImage();
		const answer = await this.engine.shown(createCommand(this.parts));
		if (!answer.ok || mentions(answer, 'Error')) {
			say(`create command failed: ${answer.lines.join('')}\ncreate_container() failed: -1\n`);
			return this.#failed();
		}
	}

	async #provideImage(): Promise<void> {
		const images = await this.engine.shown('images');
		if (!images.ok) {
			say('image_exists() failed: -1\n');
			throw new Finish(1, false);
		}
		if (listsImage(images.lines, this.parts.image)) {
			return;
		}
		say('building image\n');
		await this.#waitForClient();
		const answer = await this.engine.shown(buildCommand(this.parts));
		if (!answer.ok || mentions(answer, 'Error')) {
			say(`Error output from 'build' command:\n${answer.lines.map((line) => `   ${line}`).join('')}\nbuild_image() failed: -1\n`);
			throw new Finish(1, false);
		}
		say('build succeeded\n');
	}

	/** Builds wait for the client's first message and for its permission to use the network. */
	async #waitForClient(): Promise<void> {
		for (;;) {
			const { status } = this.channel;
			if (status.noHeartbeat || status.quit || status.abort) {
				say('client exit request during init\n');
				throw new Finish(0, false);
			}
			if (status.gotHeartbeat && !status.networkSuspended) {
				return;
			}
			if (status.gotHeartbeat) {
				this.channel.report({ cpuTime: 0, fractionDone: 0, memory: 0, wantNetwork: true });
			} else {
				say('waiting for heartbeat\n');
			}
			await sleep(POLL_MS);
		}
	}

	async #startContainer(): Promise<void> {
		say('starting container\n');
		if (!(await this.#operate('start'))) {
			say('start failed\n');
			await this.#operate('kill');
			return this.#failed();
		}
	}

	/** `pause`, `unpause`, `kill`, `start`: the word "Error" in the output is failure whatever the exit status. */
	async #operate(operation: string): Promise<boolean> {
		const answer = await this.engine.shown(`${operation} ${this.parts.container}`);
		if (!answer.ok || mentions(answer, 'Error')) {
			say(`${operation} command failed\n`);
			return false;
		}
		return true;
	}

	async #failed(): Promise<never> {
		await this.#cleanUp();
		throw new Finish(1, true);
	}

	/** Copies the container's log to standard error and removes container and per-job image. */
	async #cleanUp(): Promise<void> {
		const { container, image, job } = this.parts;
		const log = await this.engine.shown(`logs ${container}`);
		say(`stderr from container:\n${log.lines.join('')}stderr end\n`);
		await this.engine.shown(`container rm ${container}`);
		if (job.imageName === '') {
			await this.engine.shown(`image rm ${image}`);
		}
	}
}

/** The first number in the file `fraction_done` of the slot; 0 without one. */
function readFractionDone(): number {
	try {
		const value = Number.parseFloat(readFileSync('fraction_done', 'utf8'));
		return Number.isFinite(value) ? value : 0;
	} catch {
		return 0;
	}
}
