import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import org.apache.pdfbox.preflight.PreflightDocument;
import org.apache.pdfbox.preflight.exception.SyntaxValidationException;
import org.apache.pdfbox.preflight.parser.PreflightParser;

/** Reads one path per line. Prints the verdict of Apache Preflight and the time in nanoseconds for each. */
public final class Preflight {
    public static void main(String[] arguments) throws Exception {
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String path = input.readLine(); path != null; path = input.readLine()) {
            long start = System.nanoTime();
            boolean conforming = conforms(path);
            System.out.println(conforming + " " + (System.nanoTime() - start));
        }
    }

    private static boolean conforms(String path) {
        try {
            var parser = new PreflightParser(new File(path));
            parser.parse();
            try (PreflightDocument document = parser.getPreflightDocument()) {
                document.validate();
                return document.getResult().isValid();
            }
        } catch (SyntaxValidationException e) {
            return e.getResult().isValid();
        } catch (Exception e) {
            return false;
        }
    }
}
