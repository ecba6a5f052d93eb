import path from 'node:path';

import * as vscode from 'vscode';

import type { ComposeBuild } from '../../image/build/composeBuilds.js';
import type { DockerfileOutline } from '../../image/build/dockerfileOutline.js';
import { imageNameFrom } from '../../image/engine/imageReference.js';
import type { BuildOptions } from '../../protocol/imagesPage.js';

/** Something that can be built: a Dockerfile, or a service of a compose file. */
export interface ImageSource {
	/** The address of the file; of a service with its name. */
	readonly id: string;
	/** The Dockerfile itself. */
	readonly dockerfile: vscode.Uri;
	readonly contextDir: string;
	/** For people: `Dockerfile`, `web (compose.yml)`. */
	readonly name: string;
	/** The folder, as people know it. */
	readonly place: string;
	readonly defaults: BuildOptions;
	readonly outline: DockerfileOutline;
}

const PLAIN = /^(Dockerfile|Containerfile)$/i;

export function sourceOfDockerfile(file: vscode.Uri, outline: DockerfileOutline): ImageSource {
	const name = path.basename(file.fsPath);
	const folder = path.dirname(file.fsPath);
	const suffix = PLAIN.test(name) ? '' : name.replace(/\.?(Dockerfile|Containerfile)\.?/i, '');
	return {
		id: file.toString(),
		dockerfile: file,
		contextDir: folder,
		name,
		place: placeOf(folder),
		defaults: { target: '', platform: 'own', tag: imageNameFrom(path.basename(folder), suffix), args: {} },
		outline,
	};
}

export function sourceOfService(compose: vscode.Uri, build: ComposeBuild, outline: DockerfileOutline): ImageSource {
	const folder = path.dirname(compose.fsPath);
	const contextDir = path.resolve(folder, build.context);
	const { platform } = build;
	return {
		id: `${compose.toString()}#${build.service}`,
		dockerfile: dockerfileOf(compose, build),
		contextDir,
		name: `${build.service} (${path.basename(compose.fsPath)})`,
		place: placeOf(folder),
		defaults: {
			target: build.target ?? '',
			platform: platform === 'linux/amd64' || platform === 'linux/arm64' ? platform : 'own',
			// As docker compose calls it.
			tag: build.image ?? imageNameFrom(path.basename(folder), build.service),
			args: build.args,
		},
		outline,
	};
}

/** The Dockerfile of a service. */
export function dockerfileOf(compose: vscode.Uri, { context, dockerfile }: ComposeBuild): vscode.Uri {
	return vscode.Uri.file(path.resolve(path.dirname(compose.fsPath), context, dockerfile));
}

function placeOf(folder: string): string {
	const uri = vscode.Uri.file(folder);
	const workspace = vscode.workspace.getWorkspaceFolder(uri);
	if (!workspace) {
		return folder;
	}
	const relative = path.relative(workspace.uri.fsPath, folder).replaceAll('\\', '/');
	return relative === '' ? workspace.name : relative;
}

/** Names for the images of both platforms: `analysis:1` → `analysis:1-arm64`. */
export function tagFor(tag: string, platform: string): string {
	const architecture = platform.split('/')[1] ?? platform;
	return /:[^/]*$/.test(tag) ? `${tag}-${architecture}` : `${tag}:${architecture}`;
}
