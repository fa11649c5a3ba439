// What the picture hears of the notebook around it, besides what is looked at.
export class Outside {
  /** Python has not answered for some while: another cell is running, or nothing runs at all. */
  late = $state(false);
  /** Of the two columns, in pixels. */
  height = $state(0);
}
