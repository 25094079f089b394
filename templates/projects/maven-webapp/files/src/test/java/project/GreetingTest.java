package project;

import static org.junit.Assert.assertEquals;

import org.junit.Test;

public class GreetingTest {
  @Test
  public void greetsByName() {
    assertEquals("Welcome, Ann!", Greeting.to("Ann"));
  }
}
