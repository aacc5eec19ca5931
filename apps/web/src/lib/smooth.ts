/**
 * Exponential moving average with the bias of its beginning taken out (Kingma & Ba 2015, Adam, section 3): a trend from
 * values that jump, as losses of batches of different kinds do.
 * @param weight what each value leaves to those before it: 0 smooths nothing, towards 1 more
 */
export function smooth(values: readonly number[], weight: number): number[] {
  let sum = 0;
  let share = 0;
  return values.map((value) => {
    sum = weight * sum + (1 - weight) * value;
    share = weight * share + (1 - weight);
    return sum / share;
  });
}
