/**
 * The beginning of a text that quotes what a client sent, for messages. Half a character (of two units in UTF-16), which a cut
 * or a client's JSON can leave, cannot be sent: protobuf refuses to write it, and the reply would fail.
 */
export function shorten(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most).toWellFormed()}…` : text.toWellFormed();
}
