/** A shell script without its comments and indents: it travels whenever it runs. None of ours has such lines in a text. */
export const briefScript = (script: string): string => withoutComments(script.replaceAll(/^[ \t]+/gm, ''));

/** A script of Python without its comments, for the same reason. */
export const briefPython = (script: string): string => withoutComments(script.replaceAll(/^\t+("""[^"]*"""\n|#.*\n)/gm, ''));

const withoutComments = (script: string): string => script.replaceAll(/^(#.*)?\n/gm, '');
