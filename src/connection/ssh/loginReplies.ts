import type { Client } from 'ssh2';

/** What the server said to the last attempt to log in. */
export interface LoginReply {
	readonly methods: readonly string[];
	readonly partial: boolean;
}

type FailureHandler = (protocol: unknown, methods: readonly string[] | null, partial: boolean | null) => void;

/**
 * Follows the server's replies. The library forgets them after a key of an agent, and with them that a key was one part
 * of success; its own view is used when its inside looks different from what is known. Call it after `connect`.
 */
export function followReplies(client: Client): () => LoginReply | undefined {
	let last: LoginReply | undefined;
	const handlers = handlersOf(client);
	const original = handlers?.USERAUTH_FAILURE;
	if (handlers && original) {
		handlers.USERAUTH_FAILURE = (protocol, methods, partial) => {
			last = { methods: methods ?? [], partial: partial ?? false };
			original(protocol, methods, partial);
		};
	}
	return () => last;
}

function handlersOf(client: unknown): { USERAUTH_FAILURE: FailureHandler } | undefined {
	const protocol = part(client, '_protocol');
	const handlers = part(protocol, '_handlers');
	return hasHandler(handlers) ? handlers : undefined;
}

const part = (value: unknown, key: string): unknown =>
	typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;

const hasHandler = (value: unknown): value is { USERAUTH_FAILURE: FailureHandler } =>
	typeof part(value, 'USERAUTH_FAILURE') === 'function';
