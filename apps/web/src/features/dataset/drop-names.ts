/** "ANSWER_NOT_SUPPORTED", "answer-not-supported" -> "answer not supported". */
export function describeDrop(code: string): string {
  return code.toLowerCase().replaceAll(/[_-]+/g, " ");
}
