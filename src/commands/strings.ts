/** All commands on strings. */
import { DECR, DECRBY, INCR, INCRBY, INCRBYFLOAT } from "./strings-counters.ts";
import { LCS } from "./strings-lcs.ts";
import { MGET, MSET, MSETNX } from "./strings-multiple.ts";
import { APPEND, GETRANGE, SETRANGE, STRLEN, SUBSTR } from "./strings-ranges.ts";
import { GET, GETDEL, GETEX, GETSET, PSETEX, SET, SETEX, SETNX } from "./strings-values.ts";

export const stringCommands = [
  APPEND,
  DECR,
  DECRBY,
  GET,
  GETDEL,
  GETEX,
  GETRANGE,
  GETSET,
  INCR,
  INCRBY,
  INCRBYFLOAT,
  LCS,
  MGET,
  MSET,
  MSETNX,
  PSETEX,
  SET,
  SETEX,
  SETNX,
  SETRANGE,
  STRLEN,
  SUBSTR,
];
