import { BoincError } from '../../common/errors.js';
import type { OperationContext } from '../../common/ports.js';
import { readable } from '../../common/readableText.js';
import type { Engine } from '../engine.js';
import { parseImageReference } from './imageReference.js';

/** How far a layer has come on its way to a registry. */
export interface PushedLayer {
	/** Short hash, as the engine prints it. */
	readonly id: string;
	readonly state: 'waiting' | 'sending' | 'done' | 'there';
}

export interface RegistryPush {
	/** Id of the local image. */
	readonly image: string;
	/** Name that it gets, with the registry in front. */
	readonly reference: string;
	/** Layers in the order in which the engine named them. */
	readonly onLayers: (layers: readonly PushedLayer[]) => void;
}

const KEPT_LINES = 40;
const LINE_LENGTH = 2000;

/**
 * Names an image and pushes it by the engine's own command, with the credentials and helpers that the person has set up there: no
 * secret comes here. Cancelling ends the command; registries keep the layers that have arrived. Throws `argument-invalid` for a name
 * that is none, `image-not-found`, `engine-failed` when the engine has stopped, and `registry-refused` with the reason as `detail.reason`.
 */
export async function pushToRegistry(engine: Engine, push: RegistryPush, ctx: OperationContext): Promise<void> {
	const { image, reference } = push;
	const parsed = parseImageReference(reference);
	if (!parsed) {
		throw new BoincError('argument-invalid', `“${reference}” cannot be the name of an image.`, {
			remedy: 'Write it as registry.example.org/team/program:1.0, with small letters.',
		});
	}
	const named = await engine.call(['tag', image, reference], ctx);
	if (named.code !== 0) {
		const stopped = await engine.stopped(`named the image ${reference}`, 'push again', ctx);
		if (stopped) {
			throw stopped;
		}
		throw new BoincError('image-not-found', `${engine.product} has no image ${image.slice(0, 12)} any more.`, {
			remedy: 'Build it again.',
		});
	}
	const layers = new LayerStates();
	const said: string[] = [];
	let rest = '';
	const { code } = await engine.call(['push', reference], ctx, (chunk) => {
		const lines = (rest + Buffer.from(chunk).toString('utf8')).split(/[\r\n]+/);
		rest = (lines.pop() ?? '').slice(-LINE_LENGTH);
		for (const line of lines) {
			said.push(readable(line.slice(0, LINE_LENGTH)));
			layers.add(line);
		}
		said.splice(0, said.length - KEPT_LINES);
		push.onLayers(layers.all());
	});
	if (code !== 0) {
		throw (
			(await engine.stopped(`pushed ${reference}`, 'push again', ctx)) ??
			refused([...said, readable(rest)].join('\n'), reference, parsed.registry, engine)
		);
	}
	layers.finish();
	push.onLayers(layers.all());
}

/** `5f70bf18a086: Layer already exists` (Docker), `Copying blob 5f70bf18a086 done` and `Copying blob sha256:5f70…` (Podman). */
const DOCKER_LAYER = /^([0-9a-f]{12}): (Preparing|Waiting|Pushing|Pushed|Layer already exists|Mounted from .*|Retrying .*)/;
const PODMAN_LAYER = /^Copying blob (?:sha256:)?([0-9a-f]{12})[0-9a-f]*\s?(.*)$/;

const DOCKER_STATES: readonly [RegExp, PushedLayer['state']][] = [
	[/^(Preparing|Waiting)/, 'waiting'],
	[/^(Pushing|Retrying)/, 'sending'],
	[/^Pushed/, 'done'],
	[/^(Layer already|Mounted)/, 'there'],
];

/** Collects what an engine prints about the layers. */
export class LayerStates {
	readonly #layers = new Map<string, PushedLayer['state']>();

	add(line: string): void {
		const [, docker, words = ''] = DOCKER_LAYER.exec(line) ?? [];
		if (docker !== undefined) {
			this.#layers.set(docker, DOCKER_STATES.find(([pattern]) => pattern.test(words))?.[1] ?? 'sending');
		}
		const [, podman, rest = ''] = PODMAN_LAYER.exec(line) ?? [];
		if (podman !== undefined) {
			this.#layers.set(podman, rest.includes('skipped') ? 'there' : rest.includes('done') ? 'done' : 'sending');
		}
	}

	/** The push has succeeded: Podman does not say so of each layer when it writes to no terminal. */
	finish(): void {
		for (const [id, state] of this.#layers) {
			this.#layers.set(id, state === 'there' ? state : 'done');
		}
	}

	all(): PushedLayer[] {
		return [...this.#layers].map(([id, state]) => ({ id, state }));
	}
}

const REASONS: readonly [RegExp, string, (registry: string, command: string) => string][] = [
	[
		/unauthorized|authentication required|no basic auth credentials|invalid username\/password|access to the requested resource is not authorized/i,
		'login',
		(registry, command) => `Log in with: ${command} login ${registry}`,
	],
	[
		/denied|forbidden|insufficient_scope/i,
		'denied',
		(registry, command) => `Check the name, and that your account may write there; log in with: ${command} login ${registry}`,
	],
	[
		/HTTP response to HTTPS client|certificate|x509|tls:/i,
		'insecure',
		(registry) =>
			`The registry ${registry} has no certificate that your engine trusts. Add the certificate, or list the registry as an insecure one in the engine’s settings.`,
	],
	[
		/connection refused|no such host|network is unreachable|i\/o timeout|dial tcp|EOF|connection reset/i,
		'unreachable',
		(registry) =>
			`Check the address ${registry}, the network, and whether the registry runs. Layers that have arrived are not sent again.`,
	],
	[/no space left|507|quota/i, 'full', () => 'Make room in the registry, then try again.'],
];

function refused(output: string, reference: string, registry: string, { command }: Engine): BoincError {
	const [, reason = 'other', remedy] = REASONS.find(([pattern]) => pattern.test(output)) ?? [];
	const last =
		output
			.trim()
			.split('\n')
			.findLast((line) => line.trim() !== '') ?? '';
	return new BoincError('registry-refused', `The image could not be pushed as ${reference}: ${last.replace(/^Error: /, '')}`, {
		remedy: remedy?.(registry, command) ?? `See whether “${command} push ${reference}” works in a terminal.`,
		detail: { reason, registry, reference },
	});
}
