import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;

/** The driver's protocol: commands on standard input, answers on standard output. */
final class Conversation {
  // What the driver says: who issues tokens, to whom, and what they must be like.
  static final String ISSUER = System.getenv("ISSUER");
  static final String CLIENT_ID = System.getenv("CLIENT_ID");
  static final String CLIENT_SECRET = System.getenv("CLIENT_SECRET");
  static final String AUDIENCE = System.getenv("AUDIENCE");
  static final String ALG = System.getenv("ALG");

  /** Gives a token. */
  interface TokenSource {
    String get() throws Exception;
  }

  /** Gives the subject of a token, or throws a checked exception for one that is not to be taken. */
  interface TokenVerifier {
    String verify(String token) throws Exception;
  }

  private Conversation() {}

  /**
   * Answers commands until they end.
   *
   * @param source null where the library has no such grant.
   */
  static void converse(TokenSource source, TokenVerifier verifier) throws IOException {
    var lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = lines.readLine()) != null; ) {
      var words = line.split(" ");
      System.out.println(words[0].equals("token") ? obtain(source) : judge(verifier, words[1]));
    }
  }

  private static String obtain(TokenSource source) {
    if (source == null) return "unsupported";
    try {
      return "token " + source.get();
    } catch (Exception e) {
      return "error " + describe(e);
    }
  }

  private static String judge(TokenVerifier verifier, String token) {
    try {
      return "valid " + verifier.verify(token);
    } catch (RuntimeException e) {
      return "error " + describe(e);
    } catch (Exception e) {
      return "invalid " + describe(e);
    }
  }

  private static String describe(Exception e) {
    return e.toString().replaceAll("\\s+", " ");
  }
}
