const suffixes: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/**
 * A Kubernetes quantity ("500m", "64Gi", "1e3") in its base unit: cores, bytes, pieces.
 * (kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity)
 * @returns 0 for what is missing or no quantity: nothing is then taken or offered
 */
export function parseQuantity(text: string | undefined): number {
  const [, number, suffix = ""] =
    /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([KMGTPE]i|[numkMGTPE])?$/.exec(text ?? "") ?? [];
  return number === undefined ? 0 : Number(number) * (suffixes[suffix] ?? 0);
}
