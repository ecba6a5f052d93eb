const OUTER = '<output_template>';

/**
 * Fills an output template for one instance, as the transitioner does: plain text replacement. Where the outer element
 * occurs, as many characters as it has are cut from the start of the text, wherever it stands: a prolog or a blank before it
 * leaves a fragment, as on a real project.
 */
export function processOutputTemplate(template: string, resultName: string, random: number, uploadUrl: string): string {
	let text = template;
	if (text.includes(OUTER)) {
		text = text.slice(OUTER.length);
		const end = text.indexOf('</output_template>');
		text = end < 0 ? text : text.slice(0, end);
	}
	return text
		.trim()
		.replace(/<OUTFILE_(\d+)\/>/g, (_, index: string) => `${resultName}_r${random}_${Number(index)}`)
		.replaceAll('<UPLOAD_URL/>', () => uploadUrl);
}

/** An output file of an instance, from its `xml_doc_in`. */
export interface OutputFile {
	/** Physical name, below the upload hierarchy. */
	readonly name: string;
	/** Name in the job's folder. */
	readonly openName: string;
	readonly optional: boolean;
	readonly noValidate: boolean;
	/** Kept on the server. */
	readonly noDelete: boolean;
}

/** The output files of an instance, in the order of the template. */
export function outputFiles(xmlDocIn: string): OutputFile[] {
	const infos = [...xmlDocIn.matchAll(/<file_info>([\s\S]*?)<\/file_info>/g)].map((match) => match[1] ?? '');
	const kept = new Set(
		infos.filter((info) => /<no_delete\s*\/>/.test(info)).map((info) => /<name>([\s\S]*?)<\/name>/.exec(info)?.[1]?.trim() ?? ''),
	);
	return [...xmlDocIn.matchAll(/<file_ref>([\s\S]*?)<\/file_ref>/g)].map((match) => {
		const ref = match[1] ?? '';
		const value = (name: string): string => new RegExp(`<${name}>([\\s\\S]*?)</${name}>`).exec(ref)?.[1]?.trim() ?? '';
		const flag = (name: string): boolean => new RegExp(`<${name}(?:\\s*/>|>\\s*1?\\s*</${name}>)`).test(ref);
		const name = value('file_name');
		return {
			name,
			openName: value('open_name'),
			optional: flag('optional'),
			noValidate: flag('no_validate'),
			noDelete: kept.has(name),
		};
	});
}
