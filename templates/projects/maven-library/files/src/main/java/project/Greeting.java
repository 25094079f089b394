package project;

/** Says welcome. */
public final class Greeting {
  private Greeting() {}

  /** A greeting for somebody. */
  public static String to(String name) {
    return "Welcome, " + name + "!";
  }
}
