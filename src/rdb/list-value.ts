/**
 * Lists, as they are saved.
 *
 *     1   LIST_VALUE         count, elements: before Redis 3.2
 *     10  LIST_ZIPLIST       a ziplist, as a string: the same
 *     14  LIST_OF_ZIPLISTS   count of nodes, a ziplist each: Redis 3.2 to 6.2
 *     18  LIST_OF_LISTPACKS  count of nodes, each NODE_PACKED and a listpack, or NODE_PLAIN and one long element
 *
 * A list that is one listpack here is saved as a list of one node, as in Redis. Elements so long that Redis saves them
 * plain do not fit into a region, so that nothing is saved plain here.
 */
import { copyToBlock } from "../keyspace/block-copy.ts";
import type { Heap, Ref } from "../memory/heap.ts";
import { sizeLimit } from "../structures/chunk-limit.ts";
import { ChunkList } from "../structures/chunk-list.ts";
import { CHUNKS, LISTPACK } from "../structures/collection.ts";
import { Listpack } from "../structures/listpack.ts";
import type { Collection, Workplace } from "./collection.ts";
import {
  DamagedValueError,
  EmptyValueError,
  LIST_OF_LISTPACKS,
  LIST_OF_ZIPLISTS,
  LIST_VALUE,
  NODE_PACKED,
  NODE_PLAIN,
} from "./format.ts";
import { hasSpeltInteger, walkListpack } from "./packed.ts";
import type { RdbReader, StringHolder } from "./reader.ts";
import type { RdbWriter } from "./writer.ts";
import { walkZiplist } from "./ziplist.ts";

export function writeList(writer: RdbWriter, heap: Heap, encoding: number, root: Ref): void {
  const pack = new Listpack(heap);
  const writeNode = (ref: Ref): void => {
    writer.size(NODE_PACKED);
    writer.string(heap.region.bytes, ref, pack.attach(ref).byteLength);
  };
  writer.byte(LIST_OF_LISTPACKS);
  if (encoding === LISTPACK) {
    writer.size(1);
    writeNode(root);
  } else {
    const list = new ChunkList(heap).attach(root);
    writer.size(list.nodes);
    list.forEachListpack(writeNode);
  }
}

/** @throws DamagedValueError, or RegionFullError; nothing is left behind then */
export function readList(reader: RdbReader, type: number, place: Workplace): Collection {
  const { heap } = place;
  const list = new ChunkList(heap);
  list.attach(list.create());
  try {
    const isShrunk = fill(list, reader, type, place);
    if (list.count === 0) throw new EmptyValueError("a list has no elements");
    if (!isShrunk || !fitsListpack(list, place.limits.listSize)) return { encoding: CHUNKS, root: list.root };
  } catch (error) {
    list.forEachBlock((block) => heap.free(block));
    throw error;
  }
  return { encoding: LISTPACK, root: list.takeListpack() };
}

/** @returns whether the list may become one listpack: in Redis not what was a ziplist, and not what is plain */
function fill(list: ChunkList, reader: RdbReader, type: number, place: Workplace): boolean {
  const { element, packed, limits } = place;
  const push = ({ bytes, start, length }: StringHolder): void => {
    list.push(false, bytes, start, length, limits.listSize);
  };
  if (type === LIST_VALUE) {
    for (let left = reader.size(); left > 0; left--) push(reader.string(element));
    return true;
  }
  if (type !== LIST_OF_ZIPLISTS && type !== LIST_OF_LISTPACKS) {
    walkZiplist(reader.string(packed), element, push);
    return false;
  }
  let hasPlain = false;
  for (let left = reader.size(); left > 0; left--) {
    const isPlain = type === LIST_OF_LISTPACKS && readContainer(reader) === NODE_PLAIN;
    reader.string(packed);
    if (isPlain) appendPlain(list, packed);
    else if (type === LIST_OF_ZIPLISTS) appendZiplist(list, place);
    else appendListpack(list, place);
    hasPlain ||= isPlain;
  }
  return !hasPlain;
}

function readContainer(reader: RdbReader): number {
  const container = reader.size();
  if (container !== NODE_PLAIN && container !== NODE_PACKED) {
    throw new DamagedValueError(`a list's node of the unknown kind ${container}`);
  }
  return container;
}

function appendPlain(list: ChunkList, { bytes, start, length }: StringHolder): void {
  if (length === 0) throw new DamagedValueError("a list's node is empty");
  appendNode(list, length, (pack) => {
    pack.append(bytes, start, length);
    return 1;
  });
}

function appendZiplist(list: ChunkList, { packed, element }: Workplace): void {
  appendNode(list, packed.length, (pack) =>
    walkZiplist(packed, element, ({ bytes, start, length }) => pack.append(bytes, start, length)),
  );
}

function appendListpack(list: ChunkList, { heap, packed, element }: Workplace): void {
  const count = walkListpack(packed, element, () => undefined);
  if (hasSpeltInteger(packed)) {
    appendNode(list, packed.length, (pack) =>
      walkListpack(packed, element, ({ bytes, start, length }) => pack.append(bytes, start, length)),
    );
  } else if (count > 0) {
    link(list, copyToBlock(heap, packed.bytes, packed.start, packed.length), count);
  }
}

/**
 * Appends a node that is built; an empty one is left out, as in Redis.
 * @param build tells how many elements it has added
 */
function appendNode(list: ChunkList, capacity: number, build: (pack: Listpack) => number): void {
  const { heap } = list;
  const pack = new Listpack(heap);
  pack.attach(pack.create(capacity));
  let count: number;
  try {
    count = build(pack);
  } catch (error) {
    heap.free(pack.ref);
    throw error;
  }
  if (count === 0) heap.free(pack.ref);
  else link(list, pack.ref, count);
}

function link(list: ChunkList, listpack: Ref, count: number): void {
  try {
    list.appendListpack(listpack, count);
  } catch (error) {
    list.heap.free(listpack);
    throw error;
  }
}

/** Whether the list has one node, which is within the limit of a list that is a listpack. */
function fitsListpack(list: ChunkList, limit: number): boolean {
  if (list.nodes !== 1) return false;
  list.first();
  return list.pack.byteLength <= sizeLimit(limit) && (limit < 0 || list.count <= Math.max(limit, 1));
}
