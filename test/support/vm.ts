import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { emptyDisk } from '../../src/project/emptyDisk.js';
import { builtIso, type TestIso } from './iso.js';

export interface VmOptions {
	/** Default: the image built from this checkout. */
	readonly iso?: string;
	/** Whether BIOS and boot loader start the kernel from the image; else QEMU does, which is faster. Given `iso`, they do. */
	readonly boot?: 'image' | 'kernel';
	/** MiB, default 512. */
	readonly memory?: number;
	readonly cpus?: number;
	/** Network adapter of QEMU; default none. VirtualBox has `virtio-net-pci`, `e1000` or `pcnet`. */
	readonly adapter?: 'virtio-net-pci' | 'e1000' | 'pcnet';
	/** The VM's clock at the start, as QEMU's `-rtc base=`. */
	readonly clock?: string;
	/** QEMU's name of a processor. */
	readonly cpu?: string;
	/** A disk to use again. Default: a new empty one, removed at the end. `none`: no disk at all. */
	readonly disk?: string;
	/** Seconds until the VM counts as hung, default 300. */
	readonly seconds?: number;
}

export interface VmOutcome {
	/** From the completion file, as vboxwrapper reads it. */
	readonly code: number;
	readonly message: string;
	/** The guest's log. */
	readonly log: string;
	/** What was on the serial console. */
	readonly console: string;
	/** What VirtualBox's log would have. */
	readonly guestLog: string;
	readonly seconds: number;
}

/** A VM with the image in its drive and a slot folder as its share, under QEMU's emulation. */
export class Vm {
	readonly #slot: string;
	readonly #dir: string;
	readonly #seconds: number;
	readonly #process: ChildProcess;
	readonly #ended: Promise<void>;
	readonly #start = performance.now();
	#errors = '';

	private constructor(slot: string, dir: string, child: ChildProcess, seconds: number) {
		this.#slot = slot;
		this.#dir = dir;
		this.#process = child;
		this.#seconds = seconds;
		child.stderr?.on('data', (chunk: Buffer) => (this.#errors += chunk.toString('latin1')));
		this.#ended = new Promise((resolve) => {
			child.on('close', () => resolve());
			child.on('error', (error) => {
				this.#errors += String(error);
				resolve();
			});
		});
	}

	/** Starts the VM. `slot` is shared as a whole. */
	static async start(slot: string, options: VmOptions = {}): Promise<Vm> {
		const boot = options.iso === undefined ? bootFrom(await builtIso(), options.boot ?? 'kernel') : cdDrive(options.iso);
		const dir = await mkdtemp(path.join(tmpdir(), 'b2d-vm-'));
		const disk = options.disk ?? path.join(dir, 'vm_cache.vdi');
		// Readers need not wait for QEMU to make it.
		await writeFile(path.join(dir, 'console'), '');
		if (options.disk === undefined) {
			await writeEmptyDisk(disk);
		}
		const child = spawn('qemu-system-x86_64', [...machine(slot, dir, disk, options), ...boot], {
			stdio: ['ignore', 'ignore', 'pipe'],
		});
		return new Vm(slot, dir, child, options.seconds ?? 300);
	}

	/** Waits for the completion file, ends the VM, and returns what is in the file. Throws when the VM hangs or goes off. */
	async completion(): Promise<VmOutcome> {
		const file = path.join(this.#slot, 'b2d_vm_done');
		try {
			await this.until(() => existsSync(file), 'the completion file');
			const text = await readFile(file, 'latin1');
			const [code = '', notice = '', ...message] = text.split('\n');
			if (!/^\d+$/.test(code) || notice !== '0') {
				throw new Error(`The completion file is not as the wrapper reads it:\n${text}`);
			}
			return {
				code: Number(code),
				message: message.join('\n'),
				log: await this.log(),
				console: await readFile(this.console, 'latin1'),
				guestLog: await readFile(path.join(this.#dir, 'guestlog'), 'latin1'),
				seconds: (performance.now() - this.#start) / 1000,
			};
		} finally {
			await this.stop();
		}
	}

	/** Waits until `condition` holds. Throws, with what the VM said, if it does not in time or the VM is off. */
	async until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
		while (!(await condition())) {
			const late = (performance.now() - this.#start) / 1000 > this.#seconds;
			if (late || !this.isOn) {
				const console = await readFile(this.console, 'latin1').catch(() => '');
				const why = late ? `did not bring ${what} within ${String(this.#seconds)} s` : `went off before ${what}`;
				throw new Error(`The VM ${why}.\n${this.#errors}\n${console.slice(-4000)}\n${await this.log()}`);
			}
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
	}

	/** Whether the VM has not powered off. */
	get isOn(): boolean {
		return this.#process.exitCode === null && this.#process.signalCode === null;
	}

	/** The file that the serial console goes to. */
	get console(): string {
		return path.join(this.#dir, 'console');
	}

	/** The guest's log up to now. */
	async log(): Promise<string> {
		return readFile(path.join(this.#slot, 'b2d_vm.log'), 'latin1').catch(() => '');
	}

	/** Pauses the VM with its clock, as the wrapper does when the client suspends the job. */
	async pause(): Promise<void> {
		await this.#command('stop');
	}

	async resume(): Promise<void> {
		await this.#command('cont');
	}

	/** Gives QEMU a command of its control protocol, and waits until it is done. */
	async #command(name: string): Promise<void> {
		const socket = connect(controlSocket(this.#dir));
		try {
			await new Promise<void>((resolve, reject) => {
				let text = '';
				socket.on('error', reject);
				socket.on('close', () => reject(new Error(`QEMU did not do ${name}: ${text}`)));
				socket.on('data', (chunk: Buffer) => {
					text += chunk.toString('latin1');
					// One answer to the greeting, one to the command.
					if (text.split('{"return"').length > 2) {
						resolve();
					}
				});
				socket.write(['qmp_capabilities', name].map((execute) => JSON.stringify({ execute })).join('\n'));
			});
		} finally {
			socket.destroy();
		}
	}

	/** Pulls the plug. */
	async stop(): Promise<void> {
		this.#process.kill('SIGKILL');
		await this.#ended;
		await rm(this.#dir, { recursive: true, force: true });
	}
}

/** Runs the job of a slot folder to its end. */
export async function runVm(slot: string, options: VmOptions = {}): Promise<VmOutcome> {
	return (await Vm.start(slot, options)).completion();
}

/** Writes the disk that the app version brings. */
export async function writeEmptyDisk(target: string): Promise<void> {
	for await (const bytes of emptyDisk().open(0)) {
		await writeFile(target, bytes);
	}
}

function bootFrom({ file, kernel, root }: TestIso, boot: 'image' | 'kernel'): string[] {
	if (boot === 'image') {
		return cdDrive(file);
	}
	const words = /^ *append (.*)$/m.exec(readFileSync('iso/isolinux.cfg', 'utf8'))?.[1] ?? '';
	return ['-kernel', kernel, '-initrd', root, '-append', words];
}

const controlSocket = (dir: string): string => path.join(dir, 'control');

const quoted = (file: string): string => file.replaceAll(',', ',,');

const cdDrive = (iso: string): string[] => [
	...['-drive', `if=none,id=cd,media=cdrom,readonly=on,file=${quoted(iso)}`, '-device', 'ide-cd,bus=ahci.0,drive=cd,bootindex=1'],
];

// The devices are where VirtualBox has them: one AHCI controller with the drive on port 0 and the disk on port 1.
function machine(slot: string, dir: string, disk: string, options: VmOptions): string[] {
	const processor = [
		'-machine',
		'pc',
		'-accel',
		'tcg,thread=multi',
		'-cpu',
		options.cpu ?? 'max',
		'-smp',
		String(options.cpus ?? 1),
	];
	return [
		...processor,
		...['-m', String(options.memory ?? 512), '-nodefaults', '-display', 'none', '-monitor', 'none', '-no-reboot'],
		...['-serial', `file:${path.join(dir, 'console')}`, '-qmp', `unix:${controlSocket(dir)},server=on,wait=off`],
		...['-chardev', `file,id=log,path=${path.join(dir, 'guestlog')}`, '-device', 'isa-debugcon,iobase=0x504,chardev=log'],
		...['-device', 'ahci,id=ahci'],
		...(options.disk === 'none'
			? []
			: [
					...['-drive', `if=none,id=disk,format=vdi,cache=unsafe,file=${quoted(disk)}`],
					...['-device', 'ide-hd,bus=ahci.1,drive=disk'],
				]),
		...['-fsdev', `local,id=slot,path=${quoted(slot)},security_model=none`],
		...['-device', 'virtio-9p-pci,fsdev=slot,mount_tag=shared'],
		...(options.adapter === undefined ? [] : ['-netdev', 'user,id=net', '-device', `${options.adapter},netdev=net`]),
		...(options.clock === undefined ? [] : ['-rtc', `base=${options.clock}`]),
	];
}
