import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Digests of an image as containerd's nerdctl tells them: of the manifest, which finds it, and of the configuration, which does not. */
export const MANIFEST = 'a'.repeat(64);
export const CONFIG = 'c'.repeat(64);

/**
 * A stand-in for nerdctl, which no package of Debian has: options are those of `nerdctl build`, `images`, `image inspect`, `save` and `tag`
 * in its sources (2.1), anything else is refused as cobra does; images are found by name or by the digest of the manifest alone, and
 * `image inspect` of others prints nothing and ends well. `nerdctl build` is for linux/arm64 if asked for, and there is one image.
 */
const PROGRAM = `#!/bin/sh
dir=$(dirname "$0")
unknown() { echo "unknown flag: $1" >&2; exit 1; }
found() { case "$1" in ${MANIFEST}|sha256:${MANIFEST}|app|app:latest) test -f "$dir/built" ;; *) false ;; esac; }
echo "$*" >>"$dir/calls"
case "$1" in
--version) echo "nerdctl version 2.1.2" ;;
version)
	test "$2" = --format || unknown "$2"
	if test -f "$dir/stopped"; then
		echo 'time="2026-01-01T00:00:00Z" level=fatal msg="cannot access containerd socket \\"/run/containerd/containerd.sock\\": no such file or directory"' >&2
		exit 1
	fi
	echo '{"Client":{"Version":"v2.1.2","GitCommit":"x"},"Server":{"Components":[{"Name":"containerd","Version":"v2.1.1"}]}}' ;;
build)
	shift
	for word; do
		case "$word" in
		--) break ;;
		--iidfile=*) idfile=\${word#*=} ;;
		--platform=*) echo "\${word#*=}" >"$dir/platform" ;;
		--file=*|--build-arg=*|--target=*|--tag=*|--no-cache|--progress=*|--label=*|--network=*|--output=*) ;;
		-*) unknown "\${word%%=*}" ;;
		esac
	done
	touch "$dir/built"
	# As when BuildKit's image is loaded under another digest, if asked for.
	if test -f "$dir/other"; then printf 'sha256:%064d' 7 >"$idfile"; else printf 'sha256:${MANIFEST}' >"$idfile"; fi ;;
images)
	test "$2 $3 $4" = '--no-trunc --format {{json .}}' || unknown "$2"
	test -f "$dir/built" && echo '{"CreatedAt":"2026-01-01 00:00:00 +0000 UTC","Digest":"sha256:${MANIFEST}","ID":"aaaaaaaaaaaa","Repository":"app","Tag":"latest","Size":"1.9MB","Platform":"linux/amd64"}'
	exit 0 ;;
image)
	shift 2
	case "$1" in --format) format=$2; shift 2 ;; -*) unknown "$1" ;; esac
	# The template's field is of the JSON, where Docker has one of the same name.
	if found "$1"; then
		platform=$(cat "$dir/platform" 2>/dev/null || echo linux/amd64)
		if test "$format" = '{{.Id}}'; then echo 'sha256:${CONFIG}'; else
			echo '[{"Id":"sha256:${CONFIG}","RepoTags":["app:latest"],"RepoDigests":["app@sha256:${MANIFEST}"],"Created":"2026-01-01T00:00:00Z","Os":"linux","Architecture":"'"\${platform#*/}"'","Size":1985024,"Config":{"Cmd":["/bin/sh"]},"RootFS":{"Type":"layers","Layers":["sha256:${'1'.repeat(64)}"]}}]'
		fi
	fi
	exit 0 ;;
save)
	shift
	while case "$1" in --platform=*) echo "$1" >"$dir/saved"; true ;; -*) unknown "$1" ;; *) false ;; esac; do shift; done
	found "$1" || { echo "1 errors: no such image: $1" >&2; exit 1; }
	printf archive ;;
tag) found "$2" || { echo "$2: not found" >&2; exit 1; } ;;
push) echo "pushed $2" ;;
*) echo "unknown subcommand \\"$1\\" for \\"nerdctl\\"" >&2; exit 1 ;;
esac
`;

/** Puts it into a folder; resolves to its path. A file `stopped` beside it means that containerd does not run. */
export async function installNerdctl(dir: string): Promise<string> {
	await mkdir(dir, { recursive: true });
	const file = path.join(dir, 'nerdctl');
	await writeFile(file, PROGRAM);
	await chmod(file, 0o755);
	return file;
}
