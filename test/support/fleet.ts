import type { EtaInput } from '../../src/monitor/eta/estimate.js';
import { EventHeap } from '../../src/monitor/eta/eventHeap.js';
import { durationsOf } from '../../src/monitor/eta/logBuckets.js';
import type { Random } from '../../src/monitor/eta/turnaround.js';

/** A kind of fleet that a batch may meet. */
export interface FleetKind {
	readonly name: string;
	readonly hosts: number;
	readonly jobs: number;
	/** Seconds of a job on an ordinary processor. */
	readonly work: number;
	readonly delayBound: number;
	/** Share of hosts that are on for some hours a day only. */
	readonly diurnal: number;
	/** Mean seconds after which a host leaves for ever; 0 = never. */
	readonly leaves: number;
	/** Share of hosts on which everything fails. */
	readonly broken: number;
	/** Share of instances that fail elsewhere. */
	readonly failure: number;
	/** Pareto exponent of the work of a job; smaller is heavier. */
	readonly tail: number;
	/** Tasks that a host takes beyond one a processor. */
	readonly buffer: number;
}

const DAY = 86_400;
const MAX_TRIES = 6;

interface Host {
	readonly processors: number;
	readonly speed: number;
	/** Second of the day at which it is switched on, and for how long; `DAY` = always. */
	readonly from: number;
	readonly hours: number;
	readonly leavesAt: number;
	readonly broken: boolean;
	queue: number;
}

interface Instance {
	readonly sent: number;
	ended: number;
	result: 'good' | 'bad' | 'lost';
}

/** A look at the batch at some time, and how long it really took from then. */
export interface Replay {
	readonly input: EtaInput;
	readonly remaining: number;
}

/** Seconds by the clock that `work` takes from `time` on, on a host that is on for some hours only. */
function elapsed(host: Host, time: number, work: number): number {
	if (host.hours >= DAY) {
		return work;
	}
	let [at, left] = [time, work];
	for (;;) {
		const since = (((at - host.from) % DAY) + DAY) % DAY;
		const on = Math.max(0, host.hours - since);
		if (left <= on) {
			return at + left - time;
		}
		left -= on;
		at += DAY - since;
	}
}

/** Runs a batch on a made-up fleet to its end, and looks at it `looks` times on the way. */
export function replay(kind: FleetKind, random: Random, looks: number): Replay[] {
	const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
	const hosts = Array.from({ length: kind.hosts }, (): Host => {
		const isDiurnal = random() < kind.diurnal;
		return {
			processors: [1, 2, 4, 4, 8, 16][Math.floor(random() * 6)] ?? 1,
			speed: Math.exp(normal() * 0.4),
			from: random() * DAY,
			hours: isDiurnal ? (4 + random() * 12) * 3600 : DAY,
			leavesAt: kind.leaves === 0 ? Infinity : -kind.leaves * Math.log(1 - random()),
			broken: random() < kind.broken,
			queue: 0,
		};
	});
	const instances: Instance[] = [];
	const waiting: { readonly ready: number; readonly tries: number }[] = Array.from({ length: kind.jobs }, () => ({
		ready: 0,
		tries: 1,
	}));
	const events = new EventHeap();
	// Values: a host asks (its number), or an instance ends (number + the count of hosts).
	const owners: { readonly host: number; readonly tries: number }[] = [];
	hosts.forEach((_, index) => events.push(random() * 3600, index));
	let done = 0;
	let end = 0;
	const queuedAt: { readonly time: number; readonly queued: number }[] = [];
	for (let event = events.pop(); event && done < kind.jobs; event = events.pop()) {
		const { time, value } = event;
		if (value >= hosts.length) {
			const number = value - hosts.length;
			const owner = owners[number]!;
			const instance = instances[number]!;
			hosts[owner.host]!.queue -= 1;
			if (instance.result === 'good' || owner.tries >= MAX_TRIES) {
				done += 1;
				end = time;
			} else {
				waiting.unshift({ ready: time, tries: owner.tries + 1 });
			}
		} else {
			const host = hosts[value]!;
			if (time < host.leavesAt) {
				ask(host, value, time);
				events.push(time + 600 + random() * 3000, value);
			}
		}
		queuedAt.push({ time, queued: waiting.length });
	}
	function ask(host: Host, index: number, time: number): void {
		if (elapsed(host, time, 1) > 1) {
			return; // it is off
		}
		while (host.queue < host.processors + kind.buffer && waiting.length > 0) {
			const { tries } = waiting.shift()!;
			const work = (kind.work / host.speed) * 0.7 * (1 - random()) ** (-1 / kind.tail);
			const position = Math.floor(host.queue / host.processors);
			const seconds = host.broken ? 30 + random() * 60 : elapsed(host, time, work * (1 + position)) + 60 + random() * 600;
			const lost = seconds > kind.delayBound || time + seconds > host.leavesAt;
			const bad = host.broken || random() < kind.failure;
			const ended = time + (lost ? kind.delayBound : seconds);
			instances.push({ sent: time, ended, result: lost ? 'lost' : bad ? 'bad' : 'good' });
			owners.push({ host: index, tries });
			host.queue += 1;
			events.push(ended, hosts.length + instances.length - 1);
		}
	}
	const processors = hosts.filter(({ broken }) => !broken).reduce((sum, host) => sum + host.processors, 0);
	return Array.from({ length: looks }, (_, look) => {
		const now = (end * (look + 0.5)) / looks;
		return { input: inputAt(kind, instances, queuedAt, now, processors), remaining: end - now };
	});
}

function inputAt(
	kind: FleetKind,
	instances: readonly Instance[],
	queuedAt: readonly { readonly time: number; readonly queued: number }[],
	now: number,
	processors: number,
): EtaInput {
	const sent = instances.filter((instance) => instance.sent <= now);
	const ended = sent.filter((instance) => instance.ended <= now);
	const turnarounds = (result: Instance['result']): number[] =>
		ended.filter((instance) => instance.result === result).map((instance) => instance.ended - instance.sent);
	return {
		now,
		queued: queuedAt.findLast(({ time }) => time <= now)?.queued ?? kind.jobs,
		running: durationsOf(sent.filter((instance) => instance.ended > now).map((instance) => now - instance.sent)),
		succeeded: durationsOf(turnarounds('good')),
		failed: durationsOf(turnarounds('bad')),
		noReply: turnarounds('lost').length,
		delayBound: kind.delayBound,
		maxTries: MAX_TRIES,
		secondsSinceFirst: sent.length === 0 ? 0 : now - sent[0]!.sent,
		prior: [kind.work, kind.work * 2],
		priorBasis: 'records',
		priorSlots: processors,
	};
}

const ORDINARY: FleetKind = {
	name: 'ordinary',
	hosts: 60,
	jobs: 1000,
	work: 3600,
	delayBound: 3 * DAY,
	diurnal: 0.3,
	leaves: 60 * DAY,
	broken: 0.02,
	failure: 0.02,
	tail: 3,
	buffer: 1,
};

/** Fleets that differ in what makes ends hard to foretell. */
export const FLEETS: readonly FleetKind[] = [
	ORDINARY,
	{ ...ORDINARY, name: 'few hosts', hosts: 6, jobs: 150 },
	{ ...ORDINARY, name: 'at night only', diurnal: 0.9 },
	{ ...ORDINARY, name: 'heavy tails', tail: 1.3 },
	{ ...ORDINARY, name: 'hosts vanish', leaves: 5 * DAY, delayBound: 2 * DAY },
	{ ...ORDINARY, name: 'many failures', broken: 0.1, failure: 0.15 },
	{ ...ORDINARY, name: 'greedy hosts', buffer: 16 },
	{ ...ORDINARY, name: 'more hosts than jobs', hosts: 300, jobs: 300 },
	{ ...ORDINARY, name: 'short jobs', work: 120, jobs: 5000, delayBound: DAY },
];
