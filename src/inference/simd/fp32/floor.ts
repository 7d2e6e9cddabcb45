/** The lower bound that makes a kernel's last operation a ReLU, or nothing. */
export const floorOf = (relu: boolean): number => (relu ? 0 : Number.NEGATIVE_INFINITY);
