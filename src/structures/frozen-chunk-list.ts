/** FrozenChunkList: walks the listpacks of a large list as of a freeze, on any thread. Layout: chunk-nodes.ts. */
import type { FreezeReader } from "../memory/freeze-reader.ts";
import { NONE, type Ref } from "../memory/heap.ts";
import { COUNT, HEAD, LISTPACK, NEXT, NODES } from "./chunk-nodes.ts";

export class FrozenChunkList {
  #reader: FreezeReader | undefined;
  #root: Ref = NONE;

  /** Points it at the list of this root. */
  moveTo(reader: FreezeReader, root: Ref): this {
    this.#reader = reader;
    this.#root = root;
    return this;
  }

  /** Elements. @throws FreezeLostError */
  get count(): number {
    return this.#reader!.word(this.#root + COUNT);
  }

  /** Listpacks. @throws FreezeLostError */
  get nodes(): number {
    return this.#reader!.word(this.#root + NODES);
  }

  /** Visits every listpack, in order; where it begins need not be where its block does. @throws FreezeLostError */
  forEach(visit: (listpack: Ref) => void): void {
    const reader = this.#reader!;
    for (let node = reader.word(this.#root + HEAD); node !== NONE; node = reader.word(node + NEXT)) {
      visit(reader.word(node + LISTPACK));
    }
  }
}
