import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.output.ValidateOutput;
import org.flywaydb.core.api.output.ValidateResult;

/**
 * Runs Flyway commands. One line of input is one request: the command, a blank, and the settings as base64 of a Java
 * properties text. One line of output is the answer: fields separated by tabs, base64 each, so that any text survives.
 */
public class Oracle {
    public static void main(String[] arguments) throws Exception {
        PrintStream answers = System.out;
        System.setOut(System.err);
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = requests.readLine()) != null; ) {
            String[] request = line.split(" ", 2);
            List<String> fields = answer(request[0], settings(request[1]));
            StringBuilder text = new StringBuilder();
            for (String field : fields) {
                byte[] bytes = field.getBytes(StandardCharsets.UTF_8);
                text.append(Base64.getEncoder().encodeToString(bytes)).append('\t');
            }
            answers.println(text);
            answers.flush();
        }
    }

    private static Map<String, String> settings(String encoded) throws Exception {
        Properties properties = new Properties();
        properties.load(new StringReader(new String(Base64.getDecoder().decode(encoded), StandardCharsets.UTF_8)));
        Map<String, String> settings = new HashMap<>();
        properties.forEach((key, value) -> settings.put((String) key, (String) value));
        return settings;
    }

    private static List<String> answer(String command, Map<String, String> settings) {
        List<String> fields = new ArrayList<>();
        try {
            Flyway flyway = Flyway.configure().configuration(settings).load();
            switch (command) {
                case "migrate" -> {
                    var result = flyway.migrate();
                    fields.add("ok");
                    fields.add(Integer.toString(result.migrationsExecuted));
                    fields.add(String.valueOf(result.targetSchemaVersion));
                }
                case "info" -> {
                    fields.add("ok");
                    for (MigrationInfo info : flyway.info().all()) {
                        fields.add(String.join("|", String.valueOf(info.getVersion()), info.getDescription(),
                                info.getType().name(), info.getState().getDisplayName(),
                                String.valueOf(info.getChecksum())));
                    }
                }
                case "validate" -> {
                    ValidateResult result = flyway.validateWithResult();
                    fields.add(result.validationSuccessful ? "ok" : "invalid");
                    for (ValidateOutput one : result.invalidMigrations) {
                        fields.add(one.version + "|" + one.description + "|" + one.errorDetails.errorCode);
                    }
                }
                default -> throw new IllegalArgumentException(command);
            }
        } catch (FlywayException failure) {
            fields.clear();
            fields.add("error");
            fields.add(String.valueOf(failure.getErrorCode()));
            fields.add(String.valueOf(failure.getMessage()));
        }
        return fields;
    }
}
