import { BoincError } from '../common/errors.js';

/**
 * Where a project is, as people write it:
 * `ssh://user@host:port/absolute/project/path` or `local:/absolute/project/path`. The path may be absent (`undefined`).
 */
export type Target =
	| {
			readonly kind: 'ssh';
			readonly user: string | undefined;
			readonly host: string;
			readonly port: number | undefined;
			readonly path: string | undefined;
	  }
	| { readonly kind: 'local'; readonly path: string | undefined };

/** Parses a target. Throws `target-invalid` with what was expected. */
export function parseTarget(text: string): Target {
	const invalid = (why: string): BoincError =>
		new BoincError('target-invalid', `“${text}” is not the address of a BOINC server: ${why}.`, {
			remedy: 'Write ssh://user@host:port/path/of/the/project, or local:/path/of/the/project.',
		});
	if (text.startsWith('local:')) {
		const path = text.slice('local:'.length).replace(/^\/\/(?=\/)/, '');
		if (path !== '' && !path.startsWith('/')) {
			throw invalid('the path must be absolute');
		}
		return { kind: 'local', path: path === '' ? undefined : path };
	}
	const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `ssh://${text}`;
	let url: URL;
	try {
		url = new URL(withScheme);
	} catch (cause) {
		throw Object.assign(invalid('it cannot be read as an address'), { cause });
	}
	if (url.protocol !== 'ssh:') {
		throw invalid(`${url.protocol.slice(0, -1)} is not supported`);
	}
	if (url.password !== '') {
		throw invalid('it holds a password, which is asked for instead');
	}
	const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
	if (host === '' || host.startsWith('-')) {
		throw invalid('the host is missing');
	}
	const path = decodeURIComponent(url.pathname);
	return {
		kind: 'ssh',
		user: url.username === '' ? undefined : decodeURIComponent(url.username),
		host,
		port: url.port === '' ? undefined : Number(url.port),
		path: path === '' || path === '/' ? undefined : path,
	};
}

/** The text that `parseTarget` reads back as `target`. */
export function formatTarget(target: Target): string {
	if (target.kind === 'local') {
		return `local:${target.path ?? ''}`;
	}
	const host = target.host.includes(':') ? `[${target.host}]` : target.host;
	const user = target.user === undefined ? '' : `${encodeURIComponent(target.user)}@`;
	const port = target.port === undefined ? '' : `:${String(target.port)}`;
	return `ssh://${user}${host}${port}${target.path === undefined ? '' : encodeURI(target.path)}`;
}
