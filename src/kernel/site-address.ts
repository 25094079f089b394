/**
 * An address people use: https, a host name or address in lower case, perhaps a port, nothing else. It is rendered into the
 * configuration of several programs as it stands, so it may hold nothing that means something to any of them.
 */
export const siteAddress =
  /^https:\/\/(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*|\[[0-9a-f:.]{2,45}\])(?::[1-9][0-9]{0,4})?\/?$/;
