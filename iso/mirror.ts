import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Addresses of Debian's archives, without a slash at the end. */
export interface Mirror {
	readonly debian: string;
	readonly 'debian-security': string;
}

/** The mirror at `address`; the security archive is beside it, as on all mirrors that have it. */
export function mirrorAt(address: string): Mirror {
	const debian = address.replace(/\/+$/, '');
	return { debian, 'debian-security': `${debian}-security` };
}

/** The mirror that this machine's apt uses; `undefined` when it is no Debian machine. */
export async function mirrorOfMachine(): Promise<Mirror | undefined> {
	const targets = await run('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages']).catch(
		() => undefined,
	);
	const addresses = (targets?.stdout ?? '').split('\n').map((line) => line.trim().replace(/\/+$/, ''));
	const debian = addresses.find((address) => address.endsWith('/debian'));
	const security = addresses.find((address) => address.endsWith('/debian-security'));
	return debian === undefined ? undefined : { debian, 'debian-security': security ?? `${debian}-security` };
}
