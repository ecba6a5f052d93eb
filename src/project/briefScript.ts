/** A script without its comments and indents: it travels whenever it runs. None of ours has such lines in a text. */
export const briefScript = (script: string): string => script.replaceAll(/^[ \t]+/gm, '').replaceAll(/^#.*\n/gm, '');
