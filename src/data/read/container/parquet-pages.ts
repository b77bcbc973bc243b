import type { AsyncBuffer, ColumnMetaData, FileMetaData } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";

type PageHeader = ReturnType<typeof parquetHeader>;
type RowGroup = FileMetaData["row_groups"][number];

/** More than a writer puts into a page: a damaged size, for which memory must not be taken. */
const LARGEST_PAGE = 1 << 30;

/**
 * Looks at the headers of all pages of a group of rows before they are read: the Parquet reader trusts their sizes and
 * counts, and goes round for ever in a page whose size is missing or negative.
 * @throws RangeError that says what does not agree
 */
export async function checkPages(file: AsyncBuffer, group: RowGroup): Promise<void> {
  for (const { meta_data: column } of group.columns) {
    if (column === undefined) throw new RangeError("a column has no description");
    await checkColumn(file, column, Number(group.num_rows));
  }
}

async function checkColumn(file: AsyncBuffer, column: ColumnMetaData, rows: number): Promise<void> {
  const start = Number(column.dictionary_page_offset ?? column.data_page_offset);
  const size = Number(column.total_compressed_size);
  if (!isCount(start, file.byteLength) || !isCount(size, file.byteLength - start))
    throw new RangeError("a column lies outside of the file");
  const reader = { view: new DataView(await file.slice(start, start + size)), offset: 0 };
  const isFlat = column.path_in_schema.length === 1;
  let values = 0;
  // Like the reader: one byte is left over by some writers.
  while (reader.offset < size - 1) {
    const header = parquetHeader(reader);
    if (
      !isCount(header.compressed_page_size, size - reader.offset) ||
      !isCount(header.uncompressed_page_size, LARGEST_PAGE)
    )
      throw new RangeError("the size of a page is damaged");
    reader.offset += header.compressed_page_size;
    values += pageValues(header);
    if (values > Number(column.num_values)) throw new RangeError("a column has too many values");
  }
  if (values !== Number(column.num_values) || (isFlat && values !== rows))
    throw new RangeError("a column has too few values");
}

/** How many values of rows a page has, its own counts checked. */
function pageValues({
  type,
  uncompressed_page_size: bytes,
  data_page_header: first,
  data_page_header_v2: second,
  dictionary_page_header: dictionary,
}: PageHeader): number {
  if (type === "DICTIONARY_PAGE") {
    // A value of a dictionary takes at least a bit.
    if (!isCount(dictionary?.num_values, 8 * bytes)) throw new RangeError("a dictionary is damaged");
    return 0;
  }
  const values =
    type === "DATA_PAGE" ? first?.num_values : type === "DATA_PAGE_V2" ? second?.num_values : undefined;
  if (!isCount(values, Number.MAX_SAFE_INTEGER)) throw new RangeError("a page has no number of values");
  if (second !== undefined && type === "DATA_PAGE_V2") {
    const { definition_levels_byte_length: definition, repetition_levels_byte_length: repetition } = second;
    if (
      !isCount(second.num_nulls, values) ||
      !isCount(definition, bytes) ||
      !isCount(repetition, bytes - definition)
    )
      throw new RangeError("the parts of a page are damaged");
  }
  return values;
}

/** A whole number from 0 to the most; the reader gives `undefined` for one that is missing, whatever its type says. */
function isCount(value: unknown, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most;
}
