/** A text that must not leave, and what stands in its place. */
export interface Secret {
	readonly text: string;
	readonly name: string;
}

const PATTERNS: readonly [RegExp, string][] = [
	[/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, '<private key>'],
	[/\b(?:\d{1,3}\.){3}\d{1,3}\b/g, '<address>'],
	[/(?<![\w:])(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{0,4}(?![\w:])/gi, '<address>'],
	[/[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g, '<user>@<host>'],
	[/(password|passphrase|passwd|token|secret|authenticator)(["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,;]+)/gi, '$1$2<secret>'],
	[/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, '$1<user>@'],
];

/** Replaces secrets, addresses and what looks like a credential. Short secrets are replaced only as whole words. */
export function redact(text: string, secrets: readonly Secret[]): string {
	const longestFirst = secrets.filter((secret) => secret.text.length > 1).sort((a, b) => b.text.length - a.text.length);
	let result = text;
	for (const secret of longestFirst) {
		const literal = secret.text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
		result = result.replace(new RegExp(`(?<![\\w-])${literal}(?![\\w-])`, 'gi'), () => secret.name);
	}
	for (const [pattern, replacement] of PATTERNS) {
		result = result.replace(pattern, replacement);
	}
	return result;
}
