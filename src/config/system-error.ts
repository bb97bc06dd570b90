import { getSystemErrorMap } from "node:util";

/** Where the C library's words, which Redis prints, are not the ones Node has for an error. */
const C_LIBRARY_WORDS: Readonly<Record<string, string>> = {
  EISDIR: "Is a directory",
  ELOOP: "Too many levels of symbolic links",
  EIO: "Input/output error",
  EMFILE: "Too many open files",
  ENAMETOOLONG: "File name too long",
  EPERM: "Operation not permitted",
};

/** An error of the operating system in the words of the C library: "No such file or directory". */
export function systemErrorText(error: unknown): string {
  const { errno, code, message } = error as NodeJS.ErrnoException;
  const words = C_LIBRARY_WORDS[code ?? ""] ?? getSystemErrorMap().get(errno ?? 0)?.[1];
  return words === undefined ? message : words.charAt(0).toUpperCase() + words.slice(1);
}
