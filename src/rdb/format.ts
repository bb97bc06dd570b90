/**
 * The numbers of Redis's serialisation: what DUMP replies with and what RDB files are made of.
 *
 *     value    TYPE (a byte), then what the type says; value.ts and the file of each type draw it
 *     length   00xxxxxx | 01xxxxxx x | 10000000 xxxx | 10000001 xxxxxxxx     the most significant byte first
 *     string   length, bytes | 11000000 x | 11000001 xx | 11000010 xxxx     integers, the least significant byte first
 *              | 11000011 length of what follows, length of the string, LZF
 */

/** Types of values. Those before 22 are Redis 7.2's; 22 and 23 were written by candidates of 7.4 only. */
export const STRING_VALUE = 0;
export const LIST_VALUE = 1;
export const SET_VALUE = 2;
export const SORTED_SET_OF_TEXT_SCORES = 3;
export const HASH_VALUE = 4;
export const SORTED_SET_VALUE = 5;
export const HASH_ZIPMAP = 9;
export const LIST_ZIPLIST = 10;
export const SET_INTSET = 11;
export const SORTED_SET_ZIPLIST = 12;
export const HASH_ZIPLIST = 13;
export const LIST_OF_ZIPLISTS = 14;
export const HASH_LISTPACK = 16;
export const SORTED_SET_LISTPACK = 17;
export const LIST_OF_LISTPACKS = 18;
export const SET_LISTPACK = 20;
export const HASH_OF_DEADLINES_CANDIDATE = 22;
export const HASH_LISTPACK_OF_DEADLINES_CANDIDATE = 23;
export const HASH_OF_DEADLINES = 24;
export const HASH_LISTPACK_OF_DEADLINES = 25;

/** What a node of LIST_OF_LISTPACKS holds: one long element as it is, or a listpack. */
export const NODE_PLAIN = 1;
export const NODE_PACKED = 2;

/** The two most significant bits of a length's first byte, or all of it. */
export const LENGTH_14_BITS = 0x40;
export const LENGTH_32_BITS = 0x80;
export const LENGTH_64_BITS = 0x81;
export const SPECIAL = 0xc0;
/** Strings in a special form. */
export const INTEGER_8_BITS = 0xc0;
export const INTEGER_16_BITS = 0xc1;
export const INTEGER_32_BITS = 0xc2;
export const COMPRESSED = 0xc3;

/** The longest string that is looked at for being an integer of 32 bits. */
export const INTEGER_TEXT_MAX = 11;
/** Up to here, compressing cannot gain anything. */
export const COMPRESSED_MIN = 21;
/** Bytes that compressing must gain. */
export const COMPRESSION_GAIN = 4;

/** The longest string that an entry or a member can hold; longer ones are refused before room is made for them. */
export const STRING_LENGTH_MAX = 2 ** 30 - 1;

/** What is read is no value in this serialisation. */
export class DamagedValueError extends Error {
  override readonly name: string = "DamagedValueError";
}

/** What is read may be sound, but there is nothing here that it could become. */
export class ForeignValueError extends DamagedValueError {
  override readonly name = "ForeignValueError";
}

/**
 * What is read is a collection without elements, all of it has been read, and nothing else is wrong with it. Some
 * versions of Redis have saved such; RESTORE refuses them, and who loads a file leaves them out.
 */
export class EmptyValueError extends DamagedValueError {
  override readonly name = "EmptyValueError";
}
